"""torch modules: (n, n_channels, n_frames) to logits, embedding and feature map."""

from sklearn_heartkd.networks._common import (
    HeartSoundNetwork,
    NetworkOutput,
    SeededDropout,
    Standardize,
)
from sklearn_heartkd.networks._conv1d import conv1d_network
from sklearn_heartkd.networks._conv2d import conv2d_network
from sklearn_heartkd.networks._recurrent import recurrent_network
from sklearn_heartkd.networks._student import student_network

__all__ = [
    "HeartSoundNetwork",
    "NetworkOutput",
    "SeededDropout",
    "Standardize",
    "conv1d_network",
    "conv2d_network",
    "recurrent_network",
    "student_network",
]
