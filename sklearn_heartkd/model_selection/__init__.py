"""Splits that keep patients and copies together, and the check of a data set before training."""

from sklearn_heartkd.model_selection._groups import (
    combine_groups,
    near_duplicate_groups,
    subject_groups,
)

__all__ = ["combine_groups", "near_duplicate_groups", "subject_groups"]
