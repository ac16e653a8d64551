import numpy as np
import pytest
import soxr
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.model_selection import near_duplicate_groups
from sklearn_heartkd.utils._near_duplicates import find_near_duplicates
from sklearn_heartkd.utils._near_duplicates._search import _Search

RATE = 2000


@pytest.fixture(scope="module")
def sounds():
    return make_heart_sounds(60, n_subjects=10, duration=8.0, sampling_rate=RATE, random_state=0)


def noisy(x, rng):
    noise = rng.normal(size=len(x))
    return x + 0.1 * np.sqrt(np.mean(x**2) / np.mean(noise**2)) * noise


def resampled(x):
    return soxr.resample(soxr.resample(x, RATE, 4410), 4410, RATE)


CHANGES = {
    "gain": lambda x, rng: x * 1e-4,
    "offset": lambda x, rng: x + 50 * np.abs(x).max(),
    "polarity": lambda x, rng: -x,
    "noise": noisy,
    "resampling": lambda x, rng: resampled(x),
    "start": lambda x, rng: x[5000:],
    "end": lambda x, rng: x[: 4 * RATE],
    "all": lambda x, rng: 3 - noisy(0.1 * resampled(x)[3001:], rng),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_planted_copies_are_found_and_nothing_else(sounds, kind):
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(sounds.data), 12, replace=False)
    recordings = [*sounds.data, *(CHANGES[kind](sounds.data[i], rng) for i in chosen)]
    found = find_near_duplicates(recordings, RATE)
    expected = {(int(i), 60 + k) for k, i in enumerate(chosen)}
    assert set(zip(found.pairs["first"], found.pairs["second"], strict=True)) == expected
    assert_array_equal(found.groups[60:], found.groups[chosen])
    assert len(np.unique(found.groups)) == 60


def test_two_cuts_of_one_recording_are_found_by_their_overlap(sounds):
    long = make_heart_sounds(1, classes=["normal"], duration=20.0, random_state=1).data[0]
    found = find_near_duplicates([*sounds.data[:5], long[:20000], long[12000:]], RATE)
    assert found.pairs[["first", "second"]].to_numpy().tolist() == [[5, 6]]
    assert_allclose(found.pairs["lag_seconds"], 6.0, atol=1e-3)
    assert_allclose(found.pairs["overlap_seconds"], 4.0, atol=1e-2)
    assert found.pairs["correlation"][0] > 0.99


def test_the_sign_tells_the_polarity_and_the_lag_the_delay(sounds):
    x = sounds.data[0]
    pairs = find_near_duplicates([x, -2 * x[1000:]], RATE).pairs
    assert_allclose(pairs["correlation"], -1, atol=0.01)
    assert_allclose(pairs["lag_seconds"], 0.5, atol=1e-3)


def test_sampling_rates_may_differ(sounds):
    x = sounds.data[0]
    recordings = [x, sounds.data[1], soxr.resample(x, RATE, 4410)]
    found = find_near_duplicates(recordings, [RATE, RATE, 4410])
    assert_array_equal(found.groups, [0, 1, 0])


def test_a_common_click_is_no_match():
    rng = np.random.default_rng(0)
    recordings = rng.normal(scale=0.01, size=(2, 10_000))
    recordings[:, 5000:5010] += 5 * rng.normal(size=10)
    assert find_near_duplicates(recordings, RATE).pairs.empty


def test_chains_are_one_group():
    long = np.random.default_rng(0).normal(size=20_000)
    cuts = [long[:8000], long[12_000:], long[4500:15_500], -long[::-1]]
    found = find_near_duplicates(cuts, 1000)
    assert_array_equal(found.groups, [0, 0, 0, 1])
    assert len(found.pairs) == 2


def test_silence_and_tiny_recordings_are_no_duplicates(sounds):
    recordings = [np.zeros(5000), np.zeros(5000), sounds.data[0], np.ones(300), np.zeros(1)]
    assert_array_equal(find_near_duplicates(recordings, RATE).groups, range(5))


def test_no_recording_and_one_recording(sounds):
    assert len(find_near_duplicates([], RATE).groups) == 0
    assert_array_equal(near_duplicate_groups(sounds.data[:1], RATE), [0])


def test_fingerprints_lose_no_pair(sounds):
    """Compare with the search over all pairs."""
    rng = np.random.default_rng(0)
    recordings = list(sounds.data[:20])
    for k in range(10):
        start, stop = rng.integers(0, 6000), rng.integers(12_000, 16_001)
        recordings.append(rng.normal() * noisy(recordings[k // 2], rng)[start:stop])
    search = _Search(recordings, np.full(30, 2000.0), 0.8, 60, 800, 3.0)
    every = [(i, j) for i in range(30) for j in range(i + 1, 30)]
    reached = {row[:2] for row in search.compare_all(every)}
    assert len(reached) >= 10
    assert reached <= set(search.candidates())
    pairs = find_near_duplicates(recordings, RATE).pairs
    assert set(zip(pairs["first"], pairs["second"], strict=True)) == reached


def test_all_pairs_of_many_copies_are_found():
    x = np.random.default_rng(0).normal(size=8000)
    recordings = [x * gain for gain in range(1, 31)]
    assert len(find_near_duplicates(recordings, RATE).pairs) == 30 * 29 / 2


def test_threads_find_the_same_pairs(sounds):
    recordings = [*sounds.data, *(0.5 * sounds.data[:10, 3000:])]
    one, two = (find_near_duplicates(recordings, RATE, n_jobs=n) for n in (None, 2))
    assert len(one.pairs) == 10
    assert one.pairs.equals(two.pairs)


def test_fingerprints_propose_few_pairs(sounds):
    search = _Search(list(sounds.data), np.full(60, 2000.0), 0.8, 60, 800, 3.0)
    assert len(search.candidates()) < 0.1 * 60 * 59 / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0}, "threshold must be above 0"),
        ({"threshold": 1.5}, r"got 1\.5"),
        ({"low": 0.0}, "low must be at least 1 Hz"),
        ({"low": 900.0}, "pass-band from 900 to 800 Hz is empty"),
        ({"min_overlap": 0}, "min_overlap must be positive"),
        ({"sampling_rate": -1}, "sampling_rate must be positive"),
        ({"recordings": [np.ones((2, 3))]}, r"recording 0 has shape \(2, 3\)"),
        ({"recordings": [np.ones(5), []]}, r"recording 1 has shape \(0,\)"),
        ({"recordings": [np.array([1.0, np.nan])]}, "recording 0 holds NaN"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"recordings": [np.ones(50)], "sampling_rate": 2000} | change
    with pytest.raises(ValueError, match=message):
        find_near_duplicates(**arguments)


@pytest.mark.recordings
def test_copies_in_pascal_are_found(pascal_path):
    from sklearn_heartkd.datasets import read_recordings

    names = [
        "set_a/murmur__201106141148.wav",
        "set_a/normal__201106141148.wav",
        "set_a/murmur__201101051104.wav",
        "set_b/normal__103_1305031931979_B.wav",
        "set_b/normal__146_1306778707532_D1.wav",
        "set_b/normal__103_1305031931979_D2.wav",
        "set_b/normal__146_1306778707532_D4.wav",
    ]
    files = [pascal_path / name for name in names]
    labels = [file.name.split("_")[0] for file in files]
    recordings, _, _ = read_recordings(files, RATE)
    groups, pairs = near_duplicate_groups(recordings, RATE, y=labels, return_pairs=True)
    found = {
        frozenset((files[i].name, files[j].name)) for i, j in pairs[["first", "second"]].values
    }
    wanted = [names[0:2], names[3:5], names[5:7]]
    assert found == {frozenset(name.split("/")[1] for name in pair) for pair in wanted}
    assert pairs["correlation"].abs().min() > 0.99
    assert pairs["labels_disagree"].sum() == 1
    assert len(np.unique(groups)) == len(files) - 3


@pytest.mark.recordings
def test_the_table_of_pascal_holds_what_the_search_finds(pascal_path):
    from sklearn_heartkd.datasets import read_recordings
    from sklearn_heartkd.datasets._pascal import _known_pairs

    files = sorted((pascal_path / "set_a").glob("*.wav"))
    pairs = find_near_duplicates(read_recordings(files, RATE)[0], RATE).pairs
    found = {frozenset(pair) for pair in pairs[["first", "second"]].to_numpy().tolist()}
    assert {frozenset(pair) for pair in _known_pairs(files)} == found
    assert _known_pairs([*files, next((pascal_path / "set_b").glob("*.wav"))]) is None
