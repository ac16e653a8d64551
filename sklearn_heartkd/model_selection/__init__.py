"""Groups that keep patients and copies together, and the check of a data set before training."""

from sklearn_heartkd.model_selection._check import check_dataset
from sklearn_heartkd.model_selection._folders import check_folder
from sklearn_heartkd.model_selection._groups import (
    combine_groups,
    near_duplicate_groups,
    subject_groups,
)
from sklearn_heartkd.model_selection._report import DatasetReport, Finding
from sklearn_heartkd.model_selection._unlabeled import split_unlabeled

__all__ = [
    "DatasetReport",
    "Finding",
    "check_dataset",
    "check_folder",
    "combine_groups",
    "near_duplicate_groups",
    "split_unlabeled",
    "subject_groups",
]
