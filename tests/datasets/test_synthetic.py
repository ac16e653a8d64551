from itertools import pairwise

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score
from sklearn.utils import check_random_state

from sklearn_heartkd.datasets import make_heart_sounds

CLASSES = ("normal", "murmur", "extrahls", "extrastole", "artifact")


@pytest.fixture(scope="module")
def sounds():
    return make_heart_sounds(random_state=0)


@pytest.fixture(scope="module")
def clean():
    return make_heart_sounds(60, duration=8.0, snr_db=np.inf, random_state=1)


def test_fields(sounds):
    assert sounds.data.shape == (150, 10000)
    assert sounds.data.dtype == np.float32
    assert np.isfinite(sounds.data).all()
    assert sounds.sampling_rate == 2000
    assert len(sounds.frame) == len(sounds.filenames) == 150
    assert sounds.frame["label"].tolist() == sounds.target.tolist()
    assert sounds.frame["subject"].tolist() == sounds.groups.tolist()
    assert (sounds.frame["seconds"] == 5.0).all()
    assert sounds.target_names.tolist() == sorted(CLASSES)
    assert list(sounds.events.columns) == ["recording", "kind", "start", "end"]
    assert "split by subject" in sounds.DESCR
    assert all(np.ptp(row) > 0 for row in sounds.data)
    assert len(np.unique(sounds.data, axis=0)) == 150


def test_every_class_has_several_subjects_and_every_subject_several_recordings(sounds):
    by_class = sounds.frame.groupby("label")["subject"]
    assert by_class.nunique().tolist() == [6] * 5
    assert by_class.size().tolist() == [30] * 5
    assert sounds.frame.groupby("subject").size().tolist() == [5] * 30
    assert sounds.frame.groupby("subject")["label"].nunique().max() == 1


@pytest.mark.parametrize(
    ("n_recordings", "n_subjects", "expected"), [(40, None, 10), (7, None, 7), (30, 4, 4)]
)
def test_number_of_subjects(n_recordings, n_subjects, expected):
    bunch = make_heart_sounds(n_recordings, n_subjects=n_subjects, duration=1.0, random_state=0)
    assert len(set(bunch.groups)) == expected
    assert set(bunch.target) == set(CLASSES)
    if n_subjects == 4:
        assert bunch.frame.groupby("label")["subject"].nunique().min() > 1


def test_same_seed_same_recordings_and_global_state_untouched():
    state = check_random_state(None).get_state()[1].copy()
    first = make_heart_sounds(10, duration=2.0, random_state=3)
    again = make_heart_sounds(10, duration=2.0, random_state=3)
    other = make_heart_sounds(10, duration=2.0, random_state=4)
    np.testing.assert_array_equal(first.data, again.data)
    assert first.events.equals(again.events)
    assert not np.array_equal(first.data, other.data)
    np.testing.assert_array_equal(check_random_state(None).get_state()[1], state)


def test_return_X_y():
    bunch = make_heart_sounds(10, duration=1.0, random_state=0)
    X, y = make_heart_sounds(10, duration=1.0, random_state=0, return_X_y=True)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def test_events_belong_to_their_class(clean):
    kinds = {
        label: set(clean.events["kind"][clean.events["recording"].isin(np.flatnonzero(hit))])
        for label in CLASSES
        for hit in [clean.target == label]
    }
    assert kinds["normal"] == {"S1", "S2"}
    assert kinds["murmur"] == {"S1", "S2", "murmur"}
    assert kinds["extrahls"] & {"S3", "S4"}
    assert kinds["extrahls"] <= {"S1", "S2", "S3", "S4"}
    assert kinds["extrastole"] == {"S1", "S2", "premature"}
    assert kinds["artifact"] <= {"S1", "S2"}
    assert (clean.events["start"] >= 0).all()
    assert (clean.events["end"] <= 8.0).all()
    assert (clean.events["start"] < clean.events["end"]).all()
    for label, own in (
        ("murmur", ["murmur"]),
        ("extrastole", ["premature"]),
        ("extrahls", ["S3", "S4"]),
    ):
        recordings = clean.events.loc[clean.events["kind"].isin(own), "recording"]
        assert set(recordings) == set(np.flatnonzero(clean.target == label))


def test_sounds_are_where_the_events_say(clean):
    time = np.arange(clean.data.shape[1]) / clean.sampling_rate
    for row in np.flatnonzero(clean.target == "normal"):
        inside = np.zeros(len(time), dtype=bool)
        for event in clean.events[clean.events["recording"] == row].itertuples():
            inside |= (time >= event.start) & (time <= event.end)
        energy = clean.data[row].astype(float) ** 2
        assert energy[inside].sum() > 0.85 * energy.sum()
        assert inside.mean() < 0.5


def test_murmurs_are_where_the_events_say(clean):
    time = np.arange(clean.data.shape[1]) / clean.sampling_rate
    for row in np.flatnonzero(clean.target == "murmur"):
        events = clean.events[clean.events["recording"] == row]
        murmur, other = np.zeros(len(time), bool), np.zeros(len(time), bool)
        for event in events.itertuples():
            mask = murmur if event.kind == "murmur" else other
            mask |= (time >= event.start) & (time <= event.end)
        power = clean.data[row].astype(float) ** 2
        assert np.median(power[murmur & ~other]) > 10 * np.median(power[~murmur & ~other])


def test_premature_beats_come_early_and_a_pause_compensates(clean):
    for row in np.flatnonzero(clean.target == "extrastole"):
        events = clean.events[clean.events["recording"] == row]
        beats = events.loc[(events["kind"] == "S1") & (events["start"] > 0), "start"].to_numpy()
        premature = events.loc[events["kind"] == "premature", "start"].to_numpy()
        usual = np.median(np.diff(beats))
        for start in premature:
            k = int(np.argmin(np.abs(beats - start)))
            assert beats[k] == start
            if 0 < k < len(beats) - 1:
                before, after = beats[k] - beats[k - 1], beats[k + 1] - beats[k]
                assert before < 0.8 * after
                if len(premature) == 1:
                    np.testing.assert_allclose(before + after, 2 * usual, rtol=0.2)


def test_rhythm_of_normal_hearts(clean):
    for row in np.flatnonzero(clean.target == "normal"):
        events = clean.events[clean.events["recording"] == row]
        beats = events.loc[(events["kind"] == "S1") & (events["start"] > 0), "start"].to_numpy()
        second = events.loc[(events["kind"] == "S2") & (events["start"] > 0), "start"].to_numpy()
        rate = 60 / np.diff(beats)
        assert 45 < rate.mean() < 105
        assert 0.002 < np.diff(beats).std() / np.diff(beats).mean() < 0.15
        systole = second[second > beats[0]][0] - beats[0]
        assert 0.2 < systole < 0.4


def test_noise_has_the_ratio_asked_for():
    clean = make_heart_sounds(30, duration=2.0, snr_db=np.inf, random_state=0).data.astype(float)
    noisy = make_heart_sounds(30, duration=2.0, snr_db=5.0, random_state=0).data.astype(float)
    ratios = []
    for x, y in zip(clean, noisy, strict=True):
        gain = (x @ y) / (x @ x)
        ratios.append(10 * np.log10((gain * x).var() / (y - gain * x).var()))
    assert abs(np.mean(ratios) - 5.0) < 1.5
    assert 1.0 < np.std(ratios) < 4.0


def test_murmurs_are_made_fainter_and_nothing_else():
    options = {"n_recordings": 10, "duration": 2.0, "snr_db": np.inf, "random_state": 0}
    clear, faint, gone = (
        make_heart_sounds(**options, murmur_db=level) for level in (0.0, -20.0, -200.0)
    )
    murmurs = clear.target == "murmur"
    np.testing.assert_array_equal(clear.data[~murmurs], faint.data[~murmurs])
    for x, y, heart in zip(
        clear.data[murmurs], faint.data[murmurs], gone.data[murmurs], strict=True
    ):
        x, y, heart = (sound.astype(float) for sound in (x, y, heart))
        added, less = (sound - (sound @ heart) / (heart @ heart) * heart for sound in (x, y))
        assert less.std() / y.std() < 0.3 * added.std() / x.std()


def test_devices_have_their_own_spectrum():
    options = {"n_recordings": 20, "n_subjects": 10, "duration": 2.0, "random_state": 0}
    plain = make_heart_sounds(**options)
    assert "device" not in plain.frame
    sounds = make_heart_sounds(**options, n_devices=3)
    device = sounds.frame["device"].to_numpy()
    assert 1 < len(set(device)) <= 3
    assert (sounds.frame.groupby("subject")["device"].nunique() == 1).all()
    ratio = np.abs(np.fft.rfft(sounds.data) / np.fft.rfft(plain.data))[:, 40:1600]
    for name in set(device):
        own = ratio[device == name]
        np.testing.assert_allclose(own, np.broadcast_to(own[0], own.shape), rtol=0.05)
    assert np.ptp(np.log10(ratio[0])) > 0.1


def test_recordings_lie_within_the_band_of_a_stethoscope(clean):
    spectrum = np.abs(np.fft.rfft(clean.data)) ** 2
    frequencies = np.fft.rfftfreq(clean.data.shape[1], 1 / 2000)
    heart = clean.target != "artifact"
    total = spectrum[heart].sum(axis=1)
    assert (spectrum[heart][:, frequencies < 10].sum(axis=1) < 0.02 * total).all()
    assert (spectrum[heart][:, frequencies > 500].sum(axis=1) < 0.05 * total).all()


def test_subjects_differ_more_than_their_recordings(sounds):
    spectra = np.abs(np.fft.rfft(sounds.data.reshape(150, 50, 200), axis=2)).mean(axis=1)
    features = np.log(spectra / spectra.sum(axis=1, keepdims=True))
    forest = RandomForestClassifier(50, random_state=0)
    by_subject = cross_val_score(
        forest, features, sounds.target, groups=sounds.groups, cv=StratifiedGroupKFold(5)
    ).mean()
    at_random = cross_val_score(
        forest, features, sounds.target, cv=StratifiedKFold(5, shuffle=True, random_state=0)
    ).mean()
    assert 0.35 < by_subject < at_random - 0.1


@pytest.mark.parametrize("sampling_rate", [500, 1000, 4000, 11025.5])
def test_any_rate_and_a_short_duration(sampling_rate):
    bunch = make_heart_sounds(10, duration=0.5, sampling_rate=sampling_rate, random_state=0)
    assert bunch.data.shape == (10, round(0.5 * sampling_rate))
    assert np.isfinite(bunch.data).all()


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"classes must be some of .*, got \('click',\)"):
        make_heart_sounds(10, classes=("normal", "click"))
    with pytest.raises(ValueError, match="n_subjects=11 must be at most n_recordings=10"):
        make_heart_sounds(10, n_subjects=11)
    with pytest.raises(ValueError, match="'sampling_rate' parameter of make_heart_sounds"):
        make_heart_sounds(10, sampling_rate=100)


def beats_per_minute(sounds):
    starts = sounds.events[sounds.events["kind"] == "S1"].groupby("recording")["start"]
    return 60 / starts.apply(lambda s: np.median(np.diff(s)))


def test_domain_randomization_widens_what_hearts_and_devices_are_like():
    settings = {"classes": ("normal",), "n_subjects": 60, "duration": 4.0, "random_state": 0}
    usual = make_heart_sounds(60, **settings)
    wide = make_heart_sounds(60, domain_randomization=True, **settings)
    assert wide.data.shape == usual.data.shape
    assert wide.data.dtype == np.float32
    assert np.isfinite(wide.data).all()
    assert wide.target.tolist() == usual.target.tolist()
    assert np.ptp(beats_per_minute(usual)) < 40 < 70 < np.ptp(beats_per_minute(wide))
    spread = []
    for sounds in (usual, wide):
        power = np.abs(np.fft.rfft(sounds.data)) ** 2
        low, middle, high = (power[:, 4 * f : 8 * f].mean(axis=1) for f in (30, 100, 250))
        spread.append([np.log10(middle / low).std(), np.log10(high / low).std()])
    assert (np.array(spread[1]) > 1.1 * np.array(spread[0])).all()
    again = make_heart_sounds(60, domain_randomization=True, **settings)
    np.testing.assert_array_equal(again.data, wide.data)


def test_domain_randomization_takes_short_recordings_and_no_noise():
    for duration in (0.05, 0.3):
        sounds = make_heart_sounds(
            20, duration=duration, snr_db=np.inf, domain_randomization=True, random_state=0
        )
        assert np.isfinite(sounds.data).all()


def test_randomized_hearts_are_possible_ones():
    sounds = make_heart_sounds(
        300,
        classes=("extrastole", "extrahls"),
        n_subjects=300,
        domain_randomization=True,
        random_state=0,
    )
    assert "domain randomization" in sounds.DESCR
    n_third = 0
    for recording, events in sounds.events.groupby("recording"):
        starts = {kind: own["start"].to_numpy() for kind, own in events.groupby("kind")}
        beats, ends = starts["S1"], starts["S2"]
        for first, second in pairwise(beats):
            inside = ends[(ends > first) & (ends < second)]
            assert len(inside) == 1, recording  # S1 and S2 take turns
            third = starts.get("S3", np.zeros(0))
            third = third[(third > inside[0]) & (third < second)]
            n_third += len(third)
            assert (second - third > 0.03).all(), recording
    assert n_third > 300
