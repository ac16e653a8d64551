"""Explanations of models, and displays."""

from sklearn_heartkd.inspection._events import read_timing
from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._faithfulness import Faithfulness, faithfulness
from sklearn_heartkd.inspection._plot._embedding import EmbeddingDisplay
from sklearn_heartkd.inspection._plot._explanation import ExplanationDisplay
from sklearn_heartkd.inspection._plot._faithfulness import FaithfulnessDisplay
from sklearn_heartkd.inspection._plot._network import NetworkDisplay
from sklearn_heartkd.inspection._plot._quality_size import QualitySizeDisplay
from sklearn_heartkd.inspection._plot._recording import RecordingDisplay
from sklearn_heartkd.inspection._plot._training_history import TrainingHistoryDisplay

__all__ = [
    "EmbeddingDisplay",
    "Explanation",
    "ExplanationDisplay",
    "Faithfulness",
    "FaithfulnessDisplay",
    "NetworkDisplay",
    "QualitySizeDisplay",
    "RecordingDisplay",
    "TrainingHistoryDisplay",
    "explain",
    "faithfulness",
    "read_timing",
]
