"""Recurrent networks as classifiers."""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.classifiers._docstrings import document_parameters
from sklearn_heartkd.networks import recurrent_network


@document_parameters
class LSTMClassifier(NetworkClassifier):
    """Long short-term memory behind two convolutions over time.

    A teacher; after Hochreiter and Schmidhuber (1997).

    Parameters
    ----------
    hidden_size : int, default=64
        Units of the recurrent layer, and maps of the convolutions before it.
    n_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether a second layer reads the sequence backwards.
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, LSTMClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = LSTMClassifier(max_epochs=5, random_state=0).fit(X, sounds.target)
    >>> model.predict_proba(X).shape
    (24, 2)
    """

    _parameter_constraints: dict = {
        **NetworkClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def __init__(
        self,
        *,
        hidden_size=64,
        n_layers=1,
        bidirectional=True,
        norm="auto",
        dropout="auto",
        augmentation="auto",
        label_smoothing=0.05,
        class_weight="auto",
        max_epochs="auto",
        batch_size="auto",
        learning_rate=4e-3,
        weight_decay=0.05,
        pretrain=None,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=10,
        device="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            norm=norm,
            dropout=dropout,
            augmentation=augmentation,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            pretrain=pretrain,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            device=device,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional

    def _build(self, **arguments):
        return recurrent_network(
            cell="lstm",
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            **arguments,
        )


@document_parameters
class RNNClassifier(NetworkClassifier):
    """Recurrent network of plain or gated units behind two convolutions over time.

    A teacher; after Elman (1990) and Cho et al. (2014).

    Parameters
    ----------
    cell : {"gru", "tanh"}, default="gru"
        Gated recurrent units, or plain units with a hyperbolic tangent.
    hidden_size : int, default=64
        Units of the recurrent layer, and maps of the convolutions before it.
    n_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether a second layer reads the sequence backwards.
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, RNNClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = RNNClassifier(max_epochs=5, random_state=0).fit(X, sounds.target)
    >>> model.predict_proba(X).shape
    (24, 2)
    """

    _parameter_constraints: dict = {
        **NetworkClassifier._parameter_constraints,
        "cell": [StrOptions({"gru", "tanh"})],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def __init__(
        self,
        *,
        cell="gru",
        hidden_size=64,
        n_layers=1,
        bidirectional=True,
        norm="auto",
        dropout="auto",
        augmentation="auto",
        label_smoothing=0.05,
        class_weight="auto",
        max_epochs="auto",
        batch_size="auto",
        learning_rate=4e-3,
        weight_decay=0.05,
        pretrain=None,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=10,
        device="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            norm=norm,
            dropout=dropout,
            augmentation=augmentation,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            pretrain=pretrain,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            device=device,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )
        self.cell = cell
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional

    def _build(self, **arguments):
        return recurrent_network(
            cell=self.cell,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            **arguments,
        )
