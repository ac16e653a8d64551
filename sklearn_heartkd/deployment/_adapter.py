"""The runtime around a fitted model that was not exported."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.deployment._description import decision_of
from sklearn_heartkd.deployment._onnx import make_metadata
from sklearn_heartkd.deployment.runtime import HeartSoundModel
from sklearn_heartkd.utils._unwrap import sampling_rates, unwrap


def runtime_model(
    model: Any, *, channel: str | int = "mean", domain: Any = None, scope: str = ""
) -> HeartSoundModel:
    """Give a fitted model the interface of an exported one, with signal quality and streams.

    Any model can be used, not only one that can be exported.

    Parameters
    ----------
    model : estimator
        A fitted classifier or pipeline that takes waveforms and has `predict_proba`.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel of a stereo recording that the model takes.
    domain, scope : optional
        As in :func:`export_onnx`.

    Returns
    -------
    model : sklearn_heartkd.deployment.runtime.HeartSoundModel
        The model for one recording at a time.

    Raises
    ------
    ValueError
        If no step of the model has a sampling rate, or the steps disagree about it.

    See Also
    --------
    export_onnx : Write a model to a file that needs neither scikit-learn nor torch.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.deployment import runtime_model
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> forest = make_pipeline(MFCC(output="summary"), RandomForestClassifier(random_state=0))
    >>> model = runtime_model(forest.fit(sounds.data, sounds.target))
    >>> str(model.predict(sounds.data[0]).quality)
    'good'
    """
    check_is_fitted(model)
    rates = set(sampling_rates(model).values())
    if len(rates) != 1:
        raise ValueError(
            f"The steps of {type(model).__name__} have {len(rates)} sampling rates "
            f"{sorted(rates)}; one is needed: give a whole pipeline, from waveforms on."
        )
    windowed = [part for part in unwrap(model) if isinstance(part, WindowedClassifier)]
    sampling_rate = rates.pop()
    if windowed:
        n_window, n_hop = (
            round(seconds * sampling_rate) for seconds in (windowed[0].window, windowed[0].hop)
        )
    else:
        first = model.steps[0][1] if isinstance(model, Pipeline) else model
        n_window, n_hop = getattr(first, "n_features_in_", None), None
    if n_window is not None and not isinstance(n_window, Integral):
        raise ValueError(
            f"n_features_in_={n_window!r} is not a number of samples; fit the model again."
        )

    def run(waveforms):
        # in a list, recordings may have another length than those of `fit`
        return model.predict_proba(list(waveforms))

    metadata = make_metadata(
        classes=model.classes_,
        sampling_rate=sampling_rate,
        n_window=n_window,
        n_hop=n_hop,
        channel=channel,
        decision=decision_of(model),
        domain=domain,
        scope=scope,
    )
    return HeartSoundModel(run, metadata)
