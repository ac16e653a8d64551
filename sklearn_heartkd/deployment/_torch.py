"""What needs torch."""

from importlib.util import find_spec


def require_torch(name):
    """Raise ImportError, with what to do, where torch is not installed."""
    if find_spec("torch") is None:
        raise ImportError(
            f"{name} needs torch: install it, or run an ONNX file of export_onnx with "
            "sklearn_heartkd.deployment.runtime.HeartSoundModel, which does not need it."
        )
