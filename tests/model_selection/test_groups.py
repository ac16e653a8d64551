from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import StratifiedGroupKFold

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.model_selection import combine_groups, near_duplicate_groups, subject_groups


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"__(?P<subject>\d+)_(\d+)", ["103", "146"]),
        (r"__(\d+)_\d+_([A-Z])", ["103-B", "146-D"]),
        (r"set_.", ["set_b", "set_b"]),
    ],
)
def test_subjects_come_from_names(pattern, expected):
    names = [Path("set_b/normal__103_1305_B.wav"), r"set_b\murmur__146_1306_D1.wav"]
    assert subject_groups(names, pattern).tolist() == expected


def test_a_pattern_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"pattern='\(x' is not a regular expression \(missing \)"):
        subject_groups(["a.wav"], "(x")


def test_a_name_without_subject_is_an_error():
    with pytest.raises(ValueError, match=r"does not match 1 of 2 .* 'b\.wav'"):
        subject_groups(["a_1.wav", "b.wav"], r"_(\d)")


def test_near_duplicates_stay_in_one_fold():
    sounds = make_heart_sounds(20, n_subjects=20, duration=5.0, random_state=0)
    recordings = [*sounds.data, *(0.5 * sounds.data[::2])]
    y = [*sounds.target, *sounds.target[::2]]
    groups = near_duplicate_groups(recordings, 2000)
    assert_array_equal(groups[20:], groups[:20:2])
    for train, test in StratifiedGroupKFold(3).split(recordings, y, groups):
        assert not set(groups[train]) & set(groups[test])


def test_pairs_tell_whether_labels_disagree():
    sounds = make_heart_sounds(4, classes=["normal"], duration=5.0, random_state=0)
    recordings = [*sounds.data, sounds.data[0], sounds.data[1]]
    y = ["normal"] * 4 + ["murmur", "normal"]
    _, pairs = near_duplicate_groups(recordings, 2000, y=y, return_pairs=True)
    disagree = dict(zip(pairs["second"], pairs["labels_disagree"], strict=True))
    assert disagree == {4: True, 5: False}
    with pytest.raises(ValueError, match="y has 5 labels for 6 recordings"):
        near_duplicate_groups(recordings, 2000, y=y[:5])


def test_combined_groups_are_transitive():
    first = ["a", "a", "b", "c", "d"]
    second = [0, 1, 1, 2, 3]
    third = ["x", "y", "z", "w", "w"]
    assert_array_equal(combine_groups(first), [0, 0, 1, 2, 3])
    assert_array_equal(combine_groups(first, second), [0, 0, 0, 1, 2])
    assert_array_equal(combine_groups(first, second, third), [0, 0, 0, 1, 1])


def test_unknown_groups_join_nothing():
    assert_array_equal(
        combine_groups([None, None, "", "", np.nan, "a", "a"]), [0, 1, 2, 3, 4, 5, 5]
    )


def test_combining_needs_groupings_of_one_length():
    with pytest.raises(ValueError, match="at least one grouping"):
        combine_groups()
    with pytest.raises(ValueError, match=r"different lengths \[2, 1\]"):
        combine_groups([1, 2], [1])
