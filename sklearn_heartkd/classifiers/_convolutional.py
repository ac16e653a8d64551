"""Convolutional networks as classifiers."""

from numbers import Integral

from sklearn.utils._param_validation import Interval

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.classifiers._docstrings import document_parameters
from sklearn_heartkd.networks import conv1d_network, conv2d_network, student_network


@document_parameters
class Conv1DClassifier(NetworkClassifier):
    """Residual network of convolutions over time.

    A teacher: channels (mel bands, cepstral coefficients) are input maps; after Wang et al. (2017).

    Parameters
    ----------
    width : int, default=32
        Maps of the first block; the others have twice as many.
    depth : int, default=3
        Residual blocks; each halves the number of frames.
    kernel_size : int, default=5
        Frames that a convolution sees; odd.
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, Conv1DClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = Conv1DClassifier(max_epochs=5, random_state=0).fit(X, sounds.target)
    >>> model.predict_proba(X).shape
    (24, 2)
    """

    _parameter_constraints: dict = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        width=32,
        depth=3,
        kernel_size=5,
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
        self.width = width
        self.depth = depth
        self.kernel_size = kernel_size

    def _build(self, **arguments):
        return conv1d_network(
            width=self.width, depth=self.depth, kernel_size=self.kernel_size, **arguments
        )


@document_parameters
class Conv2DClassifier(NetworkClassifier):
    """Network of 3 by 3 convolutions over time and frequency.

    A teacher: the sequence is seen as an image; after Simonyan and Zisserman (2015).

    Parameters
    ----------
    width : int, default=16
        Maps of the first block; the later ones have 2, 4, 4, … times as many.
    depth : int, default=4
        Blocks of two convolutions; each halves bands and frames.
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, Conv2DClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = Conv2DClassifier(max_epochs=5, random_state=0).fit(X, sounds.target)
    >>> model.predict_proba(X).shape
    (24, 2)
    """

    _parameter_constraints: dict = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        width=16,
        depth=4,
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
        self.width = width
        self.depth = depth

    def _build(self, **arguments):
        return conv2d_network(width=self.width, depth=self.depth, **arguments)


@document_parameters
class StudentClassifier(NetworkClassifier):
    """The small network: at most 10,000 parameters by default.

    Convolutions over time and frequency, half of them separable (Howard et al. 2017), which can
    leave Python as ONNX or C. Trained from scratch it is the baseline of every distillation.

    Parameters
    ----------
    width : int, default=8
        Maps of the first block; the later ones have 2, 4, 4, … times as many.
    depth : int, default=3
        Blocks; each halves bands and frames.
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = StudentClassifier(max_epochs=5, random_state=0).fit(X, sounds.target)
    >>> model.predict_proba(X).shape
    (24, 2)
    """

    _parameter_constraints: dict = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        width=8,
        depth=3,
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
        self.width = width
        self.depth = depth

    def _build(self, **arguments):
        return student_network(width=self.width, depth=self.depth, **arguments)
