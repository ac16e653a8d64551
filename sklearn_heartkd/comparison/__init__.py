"""The cross-validated comparison of teachers, students and classical models."""

from sklearn_heartkd.comparison._defaults import few_labels, make_deployable
from sklearn_heartkd.comparison._figures import confusion_figure, quality_against_size_figure
from sklearn_heartkd.comparison._models import FEW, display_name
from sklearn_heartkd.comparison._pipelines import N_SYNTHETIC, QUICK, Recipe
from sklearn_heartkd.comparison._results import read_predictions, write_results
from sklearn_heartkd.comparison._run import Comparison, compare, split_by_device, split_by_subject
from sklearn_heartkd.comparison._scores import latex, render, score_models, verdicts

__all__ = [
    "FEW",
    "N_SYNTHETIC",
    "QUICK",
    "Comparison",
    "Recipe",
    "compare",
    "confusion_figure",
    "display_name",
    "few_labels",
    "latex",
    "make_deployable",
    "quality_against_size_figure",
    "read_predictions",
    "render",
    "score_models",
    "split_by_device",
    "split_by_subject",
    "verdicts",
    "write_results",
]
