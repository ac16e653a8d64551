"""From recordings to sequences for the networks, or to tables for any classifier."""

from sklearn_heartkd.features._autocorrelogram import Autocorrelogram
from sklearn_heartkd.features._rhythm import RhythmFeatures
from sklearn_heartkd.features._spectral import MFCC, LogMelSpectrogram

__all__ = ["MFCC", "Autocorrelogram", "LogMelSpectrogram", "RhythmFeatures"]
