"""Recurrent networks after a short convolutional stem."""

from torch import nn

from sklearn_heartkd.networks._common import HeartSoundNetwork, make_norm, needs_bias

_CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN}


class _RecurrentBody(nn.Module):
    def __init__(self, n_channels, *, cell, hidden_size, n_layers, bidirectional, norm):
        super().__init__()
        stem = []
        n_in = n_channels
        for _ in range(2):
            stem += [
                nn.Conv1d(n_in, hidden_size, 5, padding=2, bias=needs_bias(norm)),
                make_norm(norm, hidden_size, 1),
                nn.ReLU(),
                nn.MaxPool1d(2, ceil_mode=True),
            ]
            n_in = hidden_size
        self.stem = nn.Sequential(*stem)
        self.recurrent = _CELLS[cell](
            n_in,
            hidden_size,
            num_layers=n_layers,
            batch_first=True,
            bidirectional=bidirectional,
        )

    def forward(self, x):
        steps, _ = self.recurrent(self.stem(x).transpose(1, 2))
        return steps.transpose(1, 2)


def recurrent_network(
    *,
    n_channels,
    n_classes,
    cell,
    hidden_size=64,
    n_layers=1,
    bidirectional=True,
    norm,
    dropout,
):
    """Return two convolutions over time, each halving the frames, and a recurrent layer on top.

    `cell` is "lstm" (Hochreiter and Schmidhuber 1997), "gru" (Cho et al. 2014) or "tanh" (Elman 1990).
    The convolutions shorten the sequence that it has to remember: a heart beat has 25 frames of 32 ms.
    """
    body = _RecurrentBody(
        n_channels,
        cell=cell,
        hidden_size=hidden_size,
        n_layers=n_layers,
        bidirectional=bidirectional,
        norm=norm,
    )
    return HeartSoundNetwork(
        body,
        n_channels=n_channels,
        n_maps=hidden_size * (1 + bidirectional),
        n_classes=n_classes,
        dropout=dropout,
    )
