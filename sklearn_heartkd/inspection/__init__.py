"""What a model listened to: explanations and displays."""

from sklearn_heartkd.inspection._embedding_display import EmbeddingDisplay
from sklearn_heartkd.inspection._events import read_timing
from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._explanation_display import ExplanationDisplay
from sklearn_heartkd.inspection._faithfulness import Faithfulness, faithfulness
from sklearn_heartkd.inspection._faithfulness_display import FaithfulnessDisplay
from sklearn_heartkd.inspection._network_display import NetworkDisplay
from sklearn_heartkd.inspection._quality_size_display import QualitySizeDisplay
from sklearn_heartkd.inspection._recording_display import RecordingDisplay
from sklearn_heartkd.inspection._training_history_display import TrainingHistoryDisplay

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
