"""Scores, comparison of models, calibration and efficiency."""

from sklearn_heartkd.metrics._calibration import (
    expected_calibration_error,
    reject_threshold,
    reliability_curve,
    risk_coverage_curve,
)
from sklearn_heartkd.metrics._circor import (
    aggregate_by_patient,
    circor_outcome_cost,
    circor_weighted_accuracy,
)
from sklearn_heartkd.metrics._comparison import compare_models, corrected_t_test
from sklearn_heartkd.metrics._decision import net_benefit
from sklearn_heartkd.metrics._efficiency import efficiency_profile, efficiency_ratio
from sklearn_heartkd.metrics._oof import oof_frame
from sklearn_heartkd.metrics._operating_point import OperatingPoint, operating_point
from sklearn_heartkd.metrics._pascal import (
    artifact_f_score,
    discriminant_power_score,
    total_precision_score,
    youden_index_score,
)
from sklearn_heartkd.metrics._pascal_scores import pascal_scorers, pascal_scores
from sklearn_heartkd.metrics._physionet import (
    physionet2016_macc_score,
    physionet2016_scorers,
    physionet2016_scores,
)
from sklearn_heartkd.metrics._plot._reliability import ReliabilityDisplay
from sklearn_heartkd.metrics._rejecting import RejectingClassifier
from sklearn_heartkd.metrics._screening import (
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)
from sklearn_heartkd.metrics._threshold import ThresholdClassifier

__all__ = [
    "OperatingPoint",
    "RejectingClassifier",
    "ReliabilityDisplay",
    "ThresholdClassifier",
    "aggregate_by_patient",
    "artifact_f_score",
    "circor_outcome_cost",
    "circor_weighted_accuracy",
    "compare_models",
    "corrected_t_test",
    "discriminant_power_score",
    "efficiency_profile",
    "efficiency_ratio",
    "expected_calibration_error",
    "net_benefit",
    "oof_frame",
    "operating_point",
    "pascal_scorers",
    "pascal_scores",
    "physionet2016_macc_score",
    "physionet2016_scorers",
    "physionet2016_scores",
    "reject_threshold",
    "reliability_curve",
    "risk_coverage_curve",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "total_precision_score",
    "youden_index_score",
]
