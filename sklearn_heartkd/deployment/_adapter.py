"""The runtime around a fitted model that was not exported."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.deployment._onnx import make_metadata
from sklearn_heartkd.deployment.runtime import HeartSoundModel
from sklearn_heartkd.utils._unwrap import sampling_rates, unwrap


def runtime_model(model):
    """Give a fitted model the interface of an exported one, signal quality and streams included.

    Parameters
    ----------
    model : estimator
        A fitted classifier or pipeline that takes waveforms and has `predict_proba`; any, not
        only one that can be exported.

    Returns
    -------
    sklearn_heartkd.deployment.runtime.HeartSoundModel

    Raises
    ------
    ValueError
        If no step of the model knows the sampling rate, or steps disagree about it.

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
            f"The steps of {type(model).__name__} name {len(rates)} sampling rates "
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

    def run(waveforms):
        # in a list, recordings may have another length than those of `fit`
        return model.predict_proba(list(waveforms))

    metadata = make_metadata(
        classes=model.classes_,
        sampling_rate=sampling_rate,
        n_window=n_window,
        n_hop=n_hop,
    )
    return HeartSoundModel(run, metadata)
