"""What all networks share: standardization, normalization, dropout, pooling and the head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class NetworkOutput(NamedTuple):
    """Output of a network for a batch of ``n`` recordings.

    The losses of distillation use all three parts, predictions the first two.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        The output of the last linear layer.
    embedding : Tensor of shape (n, n_dimensions)
        The input of the last linear layer.
    sequence : Tensor of shape (n, n_maps, n_steps)
        The last feature map before the pooling over time.

    See Also
    --------
    HeartSoundNetwork : Returns it.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.networks import NetworkOutput
    >>> output = NetworkOutput(torch.zeros(3, 2), torch.zeros(3, 64), torch.zeros(3, 32, 5))
    >>> output.logits.shape
    torch.Size([3, 2])
    """

    logits: Tensor
    embedding: Tensor
    sequence: Tensor


class Standardize(nn.Module):
    """Standardize each channel with the statistics of the training data.

    The statistics are buffers, so they are saved and exported with the network.
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
        # some rows at a time: copies in double precision of all of X would be several times as large
        weights = weight.split(256)

        def total(function):
            parts = zip(x.split(256), weights, strict=True)
            return sum(torch.einsum("n,nct->c", w, function(part)) for part, w in parts)

        mean = total(Tensor.double) / x.shape[2]
        # the difference is of double precision, because the mean is
        variance = total(lambda part: (part - mean[:, None]).square_()) / x.shape[2]
        scale = torch.where(variance > 1e-20, variance.sqrt(), torch.ones_like(variance))
        self.mean.copy_(mean[:, None])
        self.scale.copy_(scale[:, None])

    def forward(self, x):
        """Return `x` with zero mean and unit variance per channel."""
        return (x - self.mean) / self.scale


class SeededDropout(nn.Module):
    """Dropout with a private random generator.

    ``torch.nn.Dropout`` draws from the global generator, so two models trained in parallel threads
    would change each other's result and the user's random state.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x):
        """Zero each element with probability `p` during training."""
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
    """Return the normalization layer `kind` ("batch" or "group") for 1-D or 2-D maps."""
    if kind == "batch":
        return (nn.BatchNorm1d if n_dimensions == 1 else nn.BatchNorm2d)(n_maps)
    if kind == "group":
        return nn.GroupNorm(max(1, n_maps // 16), n_maps)
    raise ValueError(f"norm must be 'batch' or 'group', got {kind!r}.")


def needs_bias(kind):
    """Whether a convolution before the normalization `kind` needs a bias.

    Batch normalization removes it. A row of a table is one frame, and group normalization of it without
    a bias would remove the scale of the row and keep only its direction.
    """
    return kind == "group"


class HeartSoundNetwork(nn.Module):
    """Standardization, a body, pooling over time (mean and maximum) and a linear head.

    The fitted network of each classifier, ``module_``, is of this class; only the bodies differ.

    Parameters
    ----------
    body : Module
        Maps (n, n_channels, n_frames) to (n, n_maps, n_steps).
    n_channels : int
        Number of channels of the input.
    n_maps : int
        Number of feature maps that the body returns.
    n_classes : int
        Number of classes.
    dropout : float
        Probability of dropping an element of the embedding during training.
    pools : bool, default=True
        Whether to pool over time; without it the body returns one step, which is the embedding.

    See Also
    --------
    NetworkOutput : What it returns.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.networks import HeartSoundNetwork
    >>> body = torch.nn.Conv1d(4, 8, 3)
    >>> network = HeartSoundNetwork(body, n_channels=4, n_maps=8, n_classes=2, dropout=0.0)
    >>> network(torch.zeros(3, 4, 16)).logits.shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        body: nn.Module,
        *,
        n_channels: int,
        n_maps: int,
        n_classes: int,
        dropout: float,
        pools: bool = True,
    ) -> None:
        super().__init__()
        self.standardize = Standardize(n_channels)
        self.body = body
        self.dropout = SeededDropout(dropout)
        self.pools = pools
        self.embedding_size = 2 * n_maps if pools else n_maps
        self.head = nn.Linear(self.embedding_size, n_classes)

    def forward(self, x: Tensor) -> NetworkOutput:
        """Apply the network to a batch.

        Parameters
        ----------
        x : Tensor of shape (n, n_channels, n_frames)
            The batch.

        Returns
        -------
        NetworkOutput
            Logits, embedding and last feature map.
        """
        sequence = self.body(self.standardize(x))
        if self.pools:
            embedding = torch.cat([sequence.mean(dim=2), sequence.amax(dim=2)], dim=1)
        else:
            embedding = sequence.flatten(1)
        return NetworkOutput(self.head(self.dropout(embedding)), embedding, sequence)
