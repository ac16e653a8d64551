"""A convolutional network over time."""

from torch import nn

from sklearn_heartkd.networks._common import HeartSoundNetwork, make_norm, needs_bias


class _Residual(nn.Module):
    def __init__(self, n_in, n_out, kernel_size, norm):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, so that a frame stays in the middle, got {kernel_size}."
            )
        padding = kernel_size // 2
        self.first = nn.Sequential(
            nn.Conv1d(n_in, n_out, kernel_size, padding=padding, bias=needs_bias(norm)),
            make_norm(norm, n_out, 1),
            nn.ReLU(),
        )
        self.second = nn.Sequential(
            nn.Conv1d(n_out, n_out, kernel_size, padding=padding, bias=needs_bias(norm)),
            make_norm(norm, n_out, 1),
        )
        self.shortcut = nn.Conv1d(n_in, n_out, 1) if n_in != n_out else nn.Identity()
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool1d(2, ceil_mode=True)

    def forward(self, x):
        return self.pool(self.activation(self.second(self.first(x)) + self.shortcut(x)))


def conv1d_network(*, n_channels, n_classes, width=32, depth=3, kernel_size=5, norm, dropout):
    """Return a residual network of 1-D convolutions over time.

    The channels (mel bands, cepstral coefficients, columns of a table) are the input maps; each of
    `depth` residual blocks holds two convolutions and halves the number of frames. After
    Wang, Yan and Oates (2017), "Time series classification from scratch with deep neural
    networks", with pooling between the blocks.
    """
    widths = [width * min(2**i, 2) for i in range(depth)]
    blocks = []
    n_in = n_channels
    for n_out in widths:
        blocks.append(_Residual(n_in, n_out, kernel_size, norm))
        n_in = n_out
    return HeartSoundNetwork(
        nn.Sequential(*blocks),
        n_channels=n_channels,
        n_maps=n_in,
        n_classes=n_classes,
        dropout=dropout,
    )
