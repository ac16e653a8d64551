"""Fully connected layers, for tables."""

from torch import nn

from sklearn_heartkd.networks._common import HeartSoundNetwork

_BUDGET = 10_000  # parameters of the network with hidden layers of "auto" size


class DenseBody(nn.Module):
    """Layers on the columns of a table, (n, n_columns, 1) to (n, n_units, 1)."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x.flatten(1)).unsqueeze(2)


def dense_network(*, n_channels, n_classes, hidden_layer_sizes, norm, dropout):
    """Return hidden layers of rectified linear units and a linear head; `norm` None leaves it out.

    "auto" sizes are those of `affordable_layers`; with no hidden layer the network is linear. After
    Rumelhart, Hinton and Williams (1986), with the units of Nair and Hinton (2010).
    """
    sizes = hidden_layer_sizes
    if isinstance(sizes, str):
        sizes = affordable_layers(n_channels, n_classes)
    layers: list[nn.Module] = []
    n_in = n_channels
    for n_out in sizes:
        layers.append(nn.Linear(n_in, n_out))
        if norm is not None:
            layers.append(nn.BatchNorm1d(n_out) if norm == "batch" else nn.GroupNorm(1, n_out))
        layers.append(nn.ReLU())
        n_in = n_out
    return HeartSoundNetwork(
        DenseBody(layers),
        n_channels=n_channels,
        n_maps=n_in,
        n_classes=n_classes,
        dropout=dropout,
        pools=False,
    )


def affordable_layers(n_columns, n_classes):
    """Return two equal sizes, as large as 10,000 parameters allow, in steps of 8 from 8 on.

    Examples
    --------
    >>> affordable_layers(64, 10), affordable_layers(1100, 2)
    ((64, 64), (8, 8))
    """
    width = 1
    while _count(n_columns, width + 1, n_classes) <= _BUDGET:
        width += 1
    width = width if width < 8 else width - width % 8
    return width, width


def _count(n_columns, width, n_classes):
    return (n_columns + 1) * width + (width + 1) * width + (width + 1) * n_classes
