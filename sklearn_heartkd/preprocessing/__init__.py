"""From recordings to cleaner recordings, each by itself."""

from sklearn_heartkd.preprocessing._band_pass import BandPassFilter
from sklearn_heartkd.preprocessing._fixed_length import FixedLength
from sklearn_heartkd.preprocessing._spikes import SpikeRemover

__all__ = ["BandPassFilter", "FixedLength", "SpikeRemover"]
