"""Additive noise at the promised signal-to-noise ratio, in waveforms and in log-mel bands."""

import numpy as np
import pytest
import torch

from sklearn_heartkd import LogMelSpectrogram
from sklearn_heartkd.augmentation import AdditiveNoise, Batch
from sklearn_heartkd.datasets import make_heart_sounds


def as_batch(x):
    x = torch.as_tensor(x)
    rows = torch.arange(len(x))
    return Batch(x, rows, torch.ones(len(x)), rows, rows)


def apply(augment, x):
    return augment(as_batch(x), torch.Generator().manual_seed(0)).x.numpy()


@pytest.fixture(scope="module")
def waveforms():
    return make_heart_sounds(4, random_state=0).data[:, None]


@pytest.fixture(scope="module")
def bands(waveforms):
    return LogMelSpectrogram().fit_transform(waveforms[:, 0])


def db(power):
    return 10 * np.log10(power)


def power_of(decibels):
    return 10 ** (decibels.astype(np.float64) / 10)


AMBIENCE = np.random.default_rng(0).standard_normal(700)


@pytest.mark.parametrize("noise", ["white", "pink", AMBIENCE], ids=["white", "pink", "array"])
@pytest.mark.parametrize("snr", [-5.0, 0.0, 20.0])
def test_snr_of_waveforms(noise, snr, waveforms):
    added = apply(AdditiveNoise(noise, snr, keep_level=False), waveforms) - waveforms
    measured = db((waveforms**2).mean(axis=2) / (added**2).mean(axis=2))
    assert measured == pytest.approx(np.full_like(measured, snr), abs=1e-3)


@pytest.mark.parametrize("noise", ["white", "pink", "array"])
@pytest.mark.parametrize("snr", [-5.0, 0.0, 20.0])
def test_snr_of_bands(noise, snr, bands):
    noise = bands[0, :, :50] if noise == "array" else noise
    noisy = apply(AdditiveNoise(noise, snr, keep_level=False), bands)
    power = power_of(bands).mean(axis=(1, 2))
    measured = db(power / (power_of(noisy).mean(axis=(1, 2)) - power))
    assert measured == pytest.approx(np.full_like(measured, snr), abs=0.05)


@pytest.mark.parametrize("noise", ["white", "pink"])
def test_noisy_bands_are_those_of_noisy_waveforms(noise, waveforms, bands):
    direct = apply(AdditiveNoise(noise, 0.0), bands)
    noisy = apply(AdditiveNoise(noise, 0.0), waveforms)
    through = LogMelSpectrogram().fit_transform(noisy[:, 0])
    assert db(power_of(direct).mean(axis=(0, 2))) == pytest.approx(
        db(power_of(through).mean(axis=(0, 2))), abs=2.0
    )
    assert direct.mean() == pytest.approx(through.mean(), abs=1.5)
    assert direct.std() == pytest.approx(through.std(), rel=0.1)
    assert abs(direct.mean() - bands.mean()) > 5


def test_ratios_are_drawn_from_the_range(waveforms):
    rows = np.repeat(waveforms, 50, axis=0)
    added = apply(AdditiveNoise(snr=(5, 30), keep_level=False), rows) - rows
    measured = db((rows**2).mean(axis=(1, 2)) / (added**2).mean(axis=(1, 2)))
    assert 4.9 < measured.min() < 7
    assert 28 < measured.max() < 30.1


def test_level_is_kept(waveforms, bands):
    noisy = apply(AdditiveNoise(snr=0.0), waveforms)
    assert (noisy**2).mean(axis=2) == pytest.approx((waveforms**2).mean(axis=2), rel=1e-4)
    noisy = apply(AdditiveNoise(snr=0.0), bands)
    assert power_of(noisy).mean(axis=(1, 2)) == pytest.approx(
        power_of(bands).mean(axis=(1, 2)), rel=1e-3
    )


def test_probability_leaves_the_other_rows_alone(bands):
    rows = np.repeat(bands, 50, axis=0)
    same = (apply(AdditiveNoise(snr=0.0, probability=0.3), rows) == rows).all(axis=(1, 2))
    assert 0.6 < same.mean() < 0.8


@pytest.mark.parametrize(("noise", "slope"), [("white", 0.0), ("pink", -10.0)])
def test_colour_of_waveforms(noise, slope):
    x = np.ones((20, 1, 4096))
    added = apply(AdditiveNoise(noise, 0.0, keep_level=False), x) - x
    spectrum = (np.abs(np.fft.rfft(added[:, 0])) ** 2).mean(axis=0)[1:]
    decades = np.log10(np.arange(1, len(spectrum) + 1))
    assert np.polyfit(decades[60:], db(spectrum[60:]), 1)[0] == pytest.approx(slope, abs=0.5)


def test_pink_bands_fall_with_their_frequencies():
    x = np.full((4, 32, 2000), -60.0)
    added = power_of(apply(AdditiveNoise("pink", -40.0, keep_level=False), x)).mean(axis=(0, 2))
    # the bands of 20 to 800 Hz are equally spaced
    centres = np.linspace(20, 800, 34)[1:-1]
    assert db(added * centres / (added * centres).mean()) == pytest.approx(np.zeros(32), abs=0.3)


def test_ambience_with_holes_is_refused():
    ambience = np.array([0.1, np.nan, 0.2])
    with pytest.raises(ValueError, match="contains NaN or infinity; remove those samples"):
        apply(AdditiveNoise(ambience), np.ones((2, 1, 10)))


def test_ambience_is_cut_at_random_and_looped():
    ambience = np.arange(1.0, 8.0)
    noisy = apply(AdditiveNoise(ambience, 0.0, keep_level=False), np.ones((30, 1, 10)))[:, 0] - 1
    ratios = noisy / noisy[:, :1]
    starts = set()
    for row in ratios:
        fits = [np.roll(np.resize(ambience, 7), -k) for k in range(7)]
        (start,) = (k for k in range(7) if np.allclose(np.resize(fits[k], 10) / fits[k][0], row))
        starts.add(start)
    assert starts == set(range(7))
    longer = np.arange(1.0, 30.0)
    rows = apply(AdditiveNoise(longer, 0.0, keep_level=False), np.ones((30, 1, 10)))[:, 0] - 1
    assert len({round(row[1] / row[0], 6) for row in rows}) > 5
    assert np.allclose(np.diff(rows, n=2), 0, atol=1e-9)


def test_ambience_may_be_a_tensor_or_a_list():
    ambience = np.random.default_rng(0).standard_normal(50)
    expected = apply(AdditiveNoise(ambience), np.ones((2, 1, 10)))
    for other in (
        torch.from_numpy(ambience),
        ambience.tolist(),
        ambience.astype(np.float64)[::-1][::-1],
    ):
        np.testing.assert_array_equal(apply(AdditiveNoise(other), np.ones((2, 1, 10))), expected)
