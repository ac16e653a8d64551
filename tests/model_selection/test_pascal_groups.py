import numpy as np
import pytest

from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.model_selection import near_duplicate_groups

pytestmark = [pytest.mark.recordings, pytest.mark.slow]


def test_no_copy_of_a_recording_stands_in_another_group(pascal_path):
    pascal = load_pascal(pascal_path)
    clusters = near_duplicate_groups(pascal.data, pascal.sampling_rate)
    groups = np.asarray(pascal.groups)
    for cluster in np.unique(clusters):
        assert len(set(groups[clusters == cluster])) == 1


def test_the_search_finds_every_known_copy(pascal_path, monkeypatch):
    known = load_pascal(pascal_path, subset="a").groups
    monkeypatch.setattr("sklearn_heartkd.datasets._pascal._known_pairs", lambda paths: None)
    assert load_pascal(pascal_path, subset="a").groups.tolist() == known.tolist()
