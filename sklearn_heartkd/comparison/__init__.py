"""The cross-validated comparison of teachers, students and classical models."""

from sklearn_heartkd.comparison._figures import (
    confusion_figure,
    quality_against_size_figure,
    write_figures,
)
from sklearn_heartkd.comparison._models import (
    N_SYNTHETIC,
    Recipe,
    display_name,
    make_deployable,
)
from sklearn_heartkd.comparison._report import write_report
from sklearn_heartkd.comparison._run import Comparison, compare, split_by_subject
from sklearn_heartkd.comparison._table import render

__all__ = [
    "N_SYNTHETIC",
    "Comparison",
    "Recipe",
    "compare",
    "confusion_figure",
    "display_name",
    "make_deployable",
    "quality_against_size_figure",
    "render",
    "split_by_subject",
    "write_figures",
    "write_report",
]
