"""The small network that can be exported to C."""

from torch import nn

from sklearn_heartkd.networks._common import HeartSoundNetwork, make_norm, needs_bias
from sklearn_heartkd.networks._conv2d import ImageBody


def student_network(*, n_channels, n_classes, width=8, depth=3, norm, dropout):
    """Return a small network of 3 by 3 convolutions, half of them separable.

    Each of `depth` blocks holds a full convolution, a depthwise and a pointwise one, and halves
    rows and frames; the widths are `width` times 1, 2, 4, 4, … Separable convolutions are those
    of Howard et al. (2017), "MobileNets".
    """
    layers = []
    n_in = 1
    for block in range(depth):
        n_out = width * min(2**block, 4)
        layers += [
            nn.Conv2d(n_in, n_out, 3, padding=1, bias=needs_bias(norm)),
            make_norm(norm, n_out, 2),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, groups=n_out, bias=needs_bias(norm)),
            nn.Conv2d(n_out, n_out, 1, bias=needs_bias(norm)),
            make_norm(norm, n_out, 2),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
        ]
        n_in = n_out
    return HeartSoundNetwork(
        ImageBody(layers), n_channels=n_channels, n_maps=n_in, n_classes=n_classes, dropout=dropout
    )
