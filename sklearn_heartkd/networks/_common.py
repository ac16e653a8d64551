"""What all networks share: standardisation, normalisation, dropout, pooling and the head."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class NetworkOutput(NamedTuple):
    """What a network returns for a batch of ``n`` recordings.

    Attributes
    ----------
    logits : Tensor of shape (n, n_classes)
    embedding : Tensor of shape (n, n_dimensions)
        The input of the last linear layer.
    sequence : Tensor of shape (n, n_maps, n_steps)
        The last feature map before the pooling over time.
    """

    logits: Tensor
    embedding: Tensor
    sequence: Tensor


class Standardize(nn.Module):
    """Standardise each channel with the statistics of the training data.

    They are buffers, so they are saved and exported with the network.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_channels):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_channels, 1))
        self.register_buffer("scale", torch.ones(n_channels, 1))

    def learn(self, x, weight):
        """Set the statistics to those of `x`, its rows weighted by `weight`."""
        weight = (weight / weight.sum()).to(torch.float64)
        x = x.to(torch.float64)
        mean = torch.einsum("n,nct->c", weight, x) / x.shape[2]
        variance = torch.einsum("n,nct->c", weight, (x - mean[:, None]) ** 2) / x.shape[2]
        scale = torch.where(variance > 1e-20, variance.sqrt(), torch.ones_like(variance))
        self.mean.copy_(mean[:, None])
        self.scale.copy_(scale[:, None])

    def forward(self, x):
        """Return `x` with zero mean and unit variance per channel."""
        return (x - self.mean) / self.scale


class SeededDropout(nn.Module):
    """Dropout that draws from a generator of its own.

    ``torch.nn.Dropout`` draws from the global generator, so that two models trained in
    parallel threads would disturb each other and the user's random state.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.generator = None

    def forward(self, x):
        """Zero each element with probability `p` while training."""
        if not self.training or self.p == 0.0:
            return x
        keep = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * (keep >= self.p) / (1.0 - self.p)


def use_generator(module, generator):
    """Make every dropout layer of `module` draw from `generator`."""
    for layer in module.modules():
        if isinstance(layer, SeededDropout):
            layer.generator = generator


def make_norm(kind, n_maps, n_dimensions):
    """Return the normalisation layer `kind` ("batch" or "group") for 1-D or 2-D maps."""
    if kind == "batch":
        return (nn.BatchNorm1d if n_dimensions == 1 else nn.BatchNorm2d)(n_maps)
    if kind == "group":
        return nn.GroupNorm(max(1, n_maps // 16), n_maps)
    raise ValueError(f"norm must be 'batch' or 'group', got {kind!r}.")


def needs_bias(kind):
    """Whether a convolution before the normalisation `kind` has to have a bias.

    Batch normalisation takes it away again. Group normalisation of a row of a table, which is one
    frame, would without it take away the size of the row, and leave its direction alone.
    """
    return kind == "group"


class HeartSoundNetwork(nn.Module):
    """Standardisation, a body, pooling over time (mean and maximum) and a linear head.

    Parameters
    ----------
    body : Module
        Maps (n, n_channels, n_frames) to (n, n_maps, n_steps).
    n_channels, n_maps, n_classes : int
    dropout : float
        Probability of dropping an element of the embedding while training.
    """

    def __init__(self, body, *, n_channels, n_maps, n_classes, dropout):
        super().__init__()
        self.standardize = Standardize(n_channels)
        self.body = body
        self.dropout = SeededDropout(dropout)
        self.head = nn.Linear(2 * n_maps, n_classes)
        self.embedding_size = 2 * n_maps

    def forward(self, x):
        """Return the `NetworkOutput` of `x`, of shape (n, n_channels, n_frames)."""
        sequence = self.body(self.standardize(x))
        embedding = torch.cat([sequence.mean(dim=2), sequence.amax(dim=2)], dim=1)
        return NetworkOutput(self.head(self.dropout(embedding)), embedding, sequence)
