import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_heartkd import RhythmFeatures
from sklearn_heartkd.datasets import load_pascal, make_heart_sounds

RATE = 2000
FURTHER_CHECKS = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks([RhythmFeatures()], xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # they mix both
@pytest.mark.parametrize("check", FURTHER_CHECKS)
def test_further_scikit_learn_checks(check):
    getattr(estimator_checks, check)("RhythmFeatures", RhythmFeatures())


def pulses(times, levels=None, *, seconds=None, rate=RATE):
    """Short tones of 120 Hz at the given times."""
    t = np.arange(round((max(times) + 0.5 if seconds is None else seconds) * rate)) / rate
    levels = np.ones(len(times)) if levels is None else levels
    envelope = sum(
        level * np.exp(-(((t - time) / 0.02) ** 2))
        for time, level in zip(times, levels, strict=True)
    )
    return envelope * np.sin(2 * np.pi * 120 * t)


def table(recordings, **parameters):
    transformer = RhythmFeatures(**parameters).set_output(transform="pandas")
    return transformer.fit_transform(recordings)


def heart(n_beats=9, period=0.8, systole=0.3, early=None, by=0.2):
    """Times of both sounds; beat `early` comes sooner, and all the later ones at their time."""
    starts = 0.5 + period * np.arange(n_beats)
    if early is not None:
        starts[early] -= by
    return np.sort(np.concatenate([starts, starts + systole]))


def test_intervals_are_those_of_the_pulses():
    (row,) = table([pulses(heart())]).to_dict("records")
    assert np.exp(row["interval_q10"]) == pytest.approx(0.3, abs=0.011)
    assert np.exp(row["interval_q90"]) == pytest.approx(0.5, abs=0.011)
    assert np.exp(row["beat_median"]) == pytest.approx(0.8, abs=0.011)
    assert row["beat_std"] < 0.02
    assert row["interval_change1_median"] == pytest.approx(np.log(0.5 / 0.3), abs=0.05)
    assert row["interval_change2_q90"] < 0.05
    assert row["interval_autocorrelation1"] < -0.8 < 0.8 < row["interval_autocorrelation2"]


def test_a_premature_beat_and_its_pause_are_seen_as_such():
    regular, premature = table([pulses(heart()), pulses(heart(early=4))]).to_dict("records")
    assert regular["prematurity_mean"] < 0.01
    # 0.6 s before it and 1.0 s after it, where 0.8 s are usual; at both sounds, 14 pairs in all
    expected = 2 * np.log(1.0 / 0.8) / 14
    assert premature["prematurity_mean"] == pytest.approx(expected, abs=0.01)
    assert premature["early_share"] == pytest.approx(2 / 16)  # from both of its sounds
    assert premature["late_share"] == pytest.approx(2 / 16)
    assert regular["early_share"] == regular["late_share"] == 0
    assert premature["beat_std"] > 5 * regular["beat_std"]
    assert premature["beat_median"] == pytest.approx(regular["beat_median"], abs=0.02)


def test_a_pause_without_a_premature_beat_is_no_prematurity():
    times = heart()
    times[8:] += 0.3
    (row,) = table([pulses(times)]).to_dict("records")
    assert row["late_share"] > 0
    assert row["prematurity_mean"] < 0.01


def test_levels_and_similarity():
    times = 0.5 + 0.6 * np.arange(12)
    loud_soft = np.tile([1.0, 0.6], 6)
    same, alternating = table([pulses(times), pulses(times, loud_soft)]).to_dict("records")
    assert same["level_change1_median"] < 0.02
    assert alternating["level_change1_median"] == pytest.approx(-np.log(0.6), abs=0.05)
    assert alternating["level_change2_median"] < 0.02
    assert alternating["level_autocorrelation1"] < -0.8
    assert same["similarity_q10"] > 0.95
    noise = np.random.default_rng(0).standard_normal(len(pulses(times)))
    assert table([noise])["similarity_median"].item() < 0.8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loudness_offset_and_neighbours_change_nothing(dtype):
    sounds = make_heart_sounds(4, duration=3.0, random_state=0).data.astype(dtype)
    expected = RhythmFeatures().fit_transform(sounds)
    assert expected.dtype == dtype
    scale = dtype([[1e-3], [1.0], [8.0], [1e3]])
    together = RhythmFeatures().fit_transform(sounds * scale + scale)
    alone = np.concatenate([RhythmFeatures().fit_transform(row[np.newaxis]) for row in sounds])
    np.testing.assert_allclose(together, expected, rtol=1e-2, atol=1e-2)
    np.testing.assert_array_equal(alone, expected)


def test_the_length_of_a_regular_recording_does_not_enter():
    rng = np.random.default_rng(0)
    recordings = [pulses(heart(n), np.tile([1.0, 0.7], n)) for n in (9, 18)]
    recordings = [row + 0.02 * rng.standard_normal(len(row)) for row in recordings]
    short, long = table(recordings).to_numpy()
    np.testing.assert_allclose(short, long, atol=0.2)


@pytest.mark.parametrize("label", ["normal", "extrastole"])
def test_no_column_tells_the_length_of_an_irregular_recording(label):
    n = 60
    sounds = make_heart_sounds(n, classes=[label], n_subjects=n, duration=12.0, random_state=0)
    rng = np.random.default_rng(0)
    seconds = rng.uniform(3.0, 4.0, n)
    starts = rng.uniform(0.0, 12.0 - seconds)
    short = [
        row[round(start * RATE) : round((start + length) * RATE)]
        for row, start, length in zip(sounds.data, starts, seconds, strict=True)
    ]
    features = pd.concat([table(sounds.data), table(short)])
    is_long = np.repeat([True, False], n)
    areas = features.apply(lambda column: roc_auc_score(is_long, column))
    assert areas.between(0.2, 0.8).all(), areas[~areas.between(0.2, 0.8)]


def test_too_few_sounds_for_a_correlation_give_zero():
    few, enough = table([pulses(heart(2)), pulses(heart(4))]).to_dict("records")
    names = [f"interval_autocorrelation{lag}" for lag in (1, 2, 3)]
    assert [few[name] for name in names] == [0, 0, 0]
    assert [enough[name] for name in names] == pytest.approx([-1, 1, -1], abs=0.05)


def test_the_sampling_rate_hardly_matters():
    slow = table([pulses(heart(early=4))]).iloc[0]
    fast = table([pulses(heart(early=4), rate=44100)], sampling_rate=44100).iloc[0]
    np.testing.assert_allclose(slow, fast, atol=0.05)


def test_ragged_recordings_lists_and_frames_give_the_same():
    X = make_heart_sounds(3, classes=["normal"], duration=2.0, random_state=0).data.astype(float)
    expected = RhythmFeatures().fit_transform(X)
    ragged = [X[0], X[1][:3000], X[2]]
    np.testing.assert_array_equal(RhythmFeatures().fit_transform(ragged)[[0, 2]], expected[[0, 2]])
    np.testing.assert_array_equal(RhythmFeatures().fit_transform(list(X)), expected)
    frame = pd.DataFrame(X).add_prefix("sample")
    np.testing.assert_array_equal(RhythmFeatures().fit_transform(frame), expected)


def test_recordings_without_a_rhythm_give_zeros():
    click = np.zeros(4000)
    click[2000] = 1.0
    empty = [np.zeros(4000), np.full(5000, 3.3), np.ones(1), pulses([0.2], seconds=0.45)]
    features = table([*empty, click])
    assert (features.iloc[:4] == 0).all(axis=None)
    assert np.isfinite(features).all(axis=None)


def test_names_do_not_need_a_fit_and_are_unique():
    names = RhythmFeatures().get_feature_names_out()
    assert len(set(names)) == len(names) == RhythmFeatures().transform(np.ones((1, 9))).shape[1]
    assert {"interval_median", "beat_std", "prematurity_mean", "similarity_q10"} <= set(names)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"high": 1000.0}, "got high=1000.0 Hz, but a sampling_rate of 2000 Hz"),
        ({"low": 400.0}, "got low=400.0 Hz, which is not below high=400.0 Hz"),
        ({"smoothing": 60.0}, "smoothing"),
    ],
)
def test_wrong_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        clone(RhythmFeatures()).set_params(**parameters).fit(np.ones((2, 4000)))


def test_synthetic_extrasystoles_are_found_by_one_column():
    sounds = make_heart_sounds(40, classes=["normal", "extrastole"], duration=6.0, random_state=1)
    found = table(sounds.data)["beat_std"]
    assert roc_auc_score(sounds.target == "extrastole", found) > 0.9


@pytest.mark.recordings
def test_real_recordings_of_any_length(pascal_path):
    pascal = load_pascal(pascal_path, subset="b")
    chosen = pascal.data[::60]
    features = table(chosen)
    assert np.isfinite(features).all(axis=None)
    assert features["beat_median"].between(np.log(0.3), np.log(1.5)).mean() > 0.8
