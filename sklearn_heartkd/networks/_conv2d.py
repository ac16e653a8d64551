"""A convolutional network over time and frequency."""

from torch import nn

from sklearn_heartkd.networks._common import HeartSoundNetwork, make_norm, needs_bias


class ImageBody(nn.Module):
    """Treat (n, n_channels, n_frames) as an image and average the maps over the frequencies."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        """Return the averaged maps, of shape (n, n_maps, n_steps)."""
        return self.layers(x[:, None]).mean(dim=2)


def conv2d_network(*, n_channels, n_classes, width=16, depth=4, norm, dropout):
    """Return a network of 3 by 3 convolutions over an image of channels and frames.

    Each of `depth` blocks holds two convolutions and halves rows and frames; the widths are
    `width` times 1, 2, 4, 4, … After Simonyan and Zisserman (2015), "Very deep convolutional
    networks for large-scale image recognition", with normalization.
    """
    layers = []
    n_in = 1
    for block in range(depth):
        n_out = width * min(2**block, 4)
        for source in (n_in, n_out):
            layers += [
                nn.Conv2d(source, n_out, 3, padding=1, bias=needs_bias(norm)),
                make_norm(norm, n_out, 2),
                nn.ReLU(),
            ]
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
        n_in = n_out
    return HeartSoundNetwork(
        ImageBody(layers), n_channels=n_channels, n_maps=n_in, n_classes=n_classes, dropout=dropout
    )
