"""What every on-line transform promises, and what each of them does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import beta
from sklearn.base import clone

from sklearn_heartkd import StudentClassifier
from sklearn_heartkd.augmentation import (
    AdditiveNoise,
    Augmentation,
    BandMasking,
    Batch,
    Gain,
    GaussianNoise,
    Mixup,
    RandomCrop,
    TimeMasking,
    TimeShift,
    TimeStretch,
)

ALL = [
    AdditiveNoise(),
    AdditiveNoise("pink", snr=10),
    AdditiveNoise(np.linspace(-40, 0, 200).reshape(4, 50), snr=(0, 20), probability=0.5),
    BandMasking(),
    Gain(),
    Gain(decibels=3),
    GaussianNoise(),
    Mixup(),
    RandomCrop(),
    TimeMasking(),
    TimeShift(),
    TimeStretch(),
]
every_augmentation = pytest.mark.parametrize("augment", ALL, ids=lambda a: type(a).__name__)


def make_batch(n=6, n_channels=4, n_frames=20, dtype=torch.float32, level=10.0):
    x = level * torch.randn(
        n, n_channels, n_frames, generator=torch.Generator().manual_seed(0), dtype=dtype
    )
    rows = torch.arange(n)
    return Batch(x, rows % 2, torch.ones(n, dtype=dtype), rows, rows)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_all_are_covered():
    assert {type(augment) for augment in ALL} == {
        c
        for c in [*Augmentation.__subclasses__(), BandMasking, TimeMasking]
        if c.__name__[0] != "_" and c.__module__.startswith("sklearn_heartkd")
    }


@every_augmentation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_returns_a_new_finite_batch_of_the_same_kind(augment, dtype):
    batch = make_batch(dtype=dtype)
    before = batch.x.clone()
    changed = augment(batch, seeded())
    assert torch.equal(batch.x, before)
    assert changed.x.dtype == dtype
    assert changed.x.isfinite().all()
    assert changed.x.shape[:2] == (6, 4)
    assert not torch.equal(changed.x, before)
    assert torch.equal(changed.target, batch.target)
    assert torch.equal(changed.index, batch.index)


@every_augmentation
def test_the_generator_is_the_only_source_of_randomness(augment):
    batch = make_batch()
    state = torch.get_rng_state()
    first, again, other = (augment(batch, seeded(seed)).x for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


@every_augmentation
def test_silence_stays_finite(augment):
    batch = replace(make_batch(), x=torch.zeros(6, 4, 20))
    assert augment(batch, seeded()).x.isfinite().all()


@every_augmentation
def test_one_row_of_one_frame(augment):
    assert augment(make_batch(n=1, n_frames=1), seeded()).x.shape == (1, 4, 1)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (RandomCrop(0), "fraction"),
        (TimeShift(1.5), "fraction"),
        (BandMasking(-0.1), "fraction"),
        (TimeMasking(2), "fraction"),
        (Gain(-1), "deviation"),
        (Gain(decibels=-1), "decibels"),
        (GaussianNoise("much"), "deviation"),
        (Mixup(0), "alpha"),
        (TimeStretch(0), "rate"),
        (TimeStretch((1.1, 0.9)), r"a pair \(low, high\), got \(1.1, 0.9\)"),
        (TimeStretch((0.0, 1.1)), "above 0"),
        (AdditiveNoise("brown"), "noise"),
        (AdditiveNoise(snr="loud"), "snr"),
        (AdditiveNoise(snr=(1, 2, 3)), r"a pair \(low, high\)"),
        (AdditiveNoise(snr=np.inf), "must be a finite number"),
        (AdditiveNoise(snr=(0, np.nan)), "must be a finite number"),
        (AdditiveNoise(probability=2), "probability"),
        (AdditiveNoise(np.zeros((3, 9))), r"shape \(3, 9\), but the batch needs \(4, n_frames\)"),
    ],
)
def test_bad_parameters_are_named(augment, message):
    with pytest.raises(ValueError, match=message):
        augment(make_batch(), seeded())


def test_in_a_network():
    X = np.random.default_rng(0).standard_normal((12, 4, 20)).astype(np.float32)
    y = np.arange(12) % 2
    augmentation = [AdditiveNoise(snr=(0, 10)), TimeStretch(), Gain(decibels=2), Mixup()]
    model = StudentClassifier(
        width=2, depth=1, max_epochs=1, augmentation=augmentation, random_state=0
    )
    plain = clone(model).set_params(augmentation=None).fit(X, y)
    assert not np.allclose(model.fit(X, y).predict_proba(X), plain.predict_proba(X), atol=1e-6)
    with pytest.raises(ValueError, match="deviation"):
        clone(model).set_params(augmentation=[GaussianNoise(-1)]).fit(X, y)


def test_crop_keeps_a_stretch():
    x = torch.arange(40.0).reshape(2, 1, 20)
    batch = replace(make_batch(2), x=x)
    cropped = RandomCrop(0.5)(batch, seeded()).x
    assert cropped.shape == (2, 1, 10)
    assert torch.equal(cropped.diff(dim=2), torch.ones(2, 1, 9))


def test_shift_rolls():
    batch = make_batch()
    shifted = TimeShift()(batch, seeded()).x
    for row, original in zip(shifted, batch.x, strict=True):
        assert any(torch.equal(row, original.roll(k, dims=1)) for k in range(20))


def test_small_shift_stays_small():
    batch = make_batch(n=40)
    shifted = TimeShift(0.2)(batch, seeded()).x
    for row, original in zip(shifted, batch.x, strict=True):
        assert any(torch.equal(row, original.roll(-k, dims=1)) for k in range(4))


@pytest.mark.parametrize(("augment", "dim"), [(BandMasking(0.5), 1), (TimeMasking(0.5), 2)])
def test_masking_hides_one_stretch(augment, dim):
    batch = make_batch(n=30, n_channels=20)
    hidden = (augment(batch, seeded()).x != batch.x).all(dim=3 - dim)
    assert hidden.any()
    for row in hidden:
        assert row.sum() <= 10
        assert row.int().diff().abs().sum() <= 2


def test_gain_in_decibels():
    bands = make_batch(n=500)
    offset = Gain(decibels=3.0)(bands, seeded()).x - bands.x
    assert torch.allclose(offset, offset[:, :1, :1].expand_as(offset), atol=1e-4)
    assert offset[:, 0, 0].std() == pytest.approx(3.0, rel=0.1)
    waves = make_batch(n=500, n_channels=1)
    factor = Gain(decibels=3.0)(waves, seeded()).x / waves.x
    assert torch.allclose(factor, factor[:, :, :1].expand_as(factor), rtol=1e-3)
    assert (20 * factor[:, 0, 0].log10()).std() == pytest.approx(3.0, rel=0.1)


def test_stretch_changes_the_tempo():
    time = torch.arange(400.0)
    x = torch.sin(2 * torch.pi * time / 40).expand(2, 1, 400)
    batch = replace(make_batch(2), x=x)
    for rate in (0.5, 2.0):
        stretched = TimeStretch(rate)(batch, seeded()).x[0, 0]
        spectrum = torch.fft.rfft(stretched).abs()
        assert spectrum.argmax() == pytest.approx(10 * rate, abs=1)
    assert torch.allclose(TimeStretch(1.0)(batch, seeded()).x, x, atol=1e-6)


def test_mixup_mixes_rows():
    batch = make_batch()
    mixed = Mixup()(batch, seeded())
    share = mixed.share[:, None, None]
    expected = share * batch.x + (1 - share) * batch.x[mixed.partner]
    assert torch.allclose(mixed.x, expected)


@pytest.mark.parametrize("alpha", [1e-4, 0.01, 0.05, 0.2, 0.3, 2.0])
def test_the_shares_of_mixup_are_those_of_the_beta_distribution(alpha):
    rows = torch.arange(4000)
    batch = Batch(torch.zeros(4000, 1, 1), rows, torch.ones(4000), rows, rows)
    share = Mixup(alpha)(batch, seeded()).share.double().clamp(1e-6, 1 - 1e-6)
    edges = [1e-5, 0.01, 0.3, 0.7, 0.99, 1 - 1e-5]
    expected = beta(alpha, alpha).cdf(edges)
    found = [(share <= edge).double().mean().item() for edge in edges]
    assert found == pytest.approx(expected, abs=0.03)


def test_mixup_mixes_once():
    with pytest.raises(ValueError, match=r"Mixup\(alpha=0.2\) after another Mixup"):
        Mixup(0.2)(Mixup()(make_batch(), seeded()), seeded())
    X = np.random.default_rng(0).standard_normal((12, 4, 20)).astype(np.float32)
    twice = [Mixup(), GaussianNoise(), Mixup(alpha=0.2)]
    with pytest.raises(ValueError, match=r"Mixup\(alpha=0.2\) after another Mixup"):
        StudentClassifier(width=2, depth=1, augmentation=twice).fit(X, np.arange(12) % 2)


def test_gain_without_decibels_is_an_offset():
    for n_channels in (1, 4):
        batch = make_batch(n=500, n_channels=n_channels)
        batch = replace(batch, x=batch.x * torch.arange(1.0, 1 + n_channels)[:, None])
        deviation = batch.x.std(dim=(0, 2), keepdim=True, correction=0)
        offset = (Gain(0.2)(batch, seeded()).x - batch.x) / deviation
        assert torch.allclose(offset, offset[:, :1, :1].expand_as(offset), atol=1e-5)
        assert offset[:, 0, 0].std() == pytest.approx(0.2, rel=0.1)
