"""Loading of model files for explanations, which need the fitted estimator if there is one."""

from sklearn_heartkd.deployment.runtime import HeartSoundModel


def load_fitted(path, *, trust=False):
    """Load the estimator of a file of `save_model`, or the model of a file of `export_onnx`.

    Parameters
    ----------
    path : path-like
        A file of `export_onnx` has the suffix ``.onnx``.
    trust : bool, default=False
        Whether to load saved models of any kind, see `load_model`.

    Returns
    -------
    model : estimator or HeartSoundModel
    channel : str or int
        The channel of recordings that the model takes.
    """
    if str(path).lower().endswith(".onnx"):
        exported = HeartSoundModel.load(str(path))
        return exported, exported.channel
    from sklearn_heartkd.deployment._persistence import load_with_manifest

    model, manifest = load_with_manifest(path, trust=trust)
    return model, manifest["channel"]
