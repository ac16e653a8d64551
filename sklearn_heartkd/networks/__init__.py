"""torch modules: (n, n_channels, n_frames) to logits, embedding and feature map."""

from sklearn_heartkd.networks._common import HeartSoundNetwork, NetworkOutput

__all__ = ["HeartSoundNetwork", "NetworkOutput"]
