"""From a fitted model to the device: ONNX, C, saving, and a runtime without torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn_heartkd.deployment import runtime
    from sklearn_heartkd.deployment._adapter import runtime_model
    from sklearn_heartkd.deployment._c import export_c
    from sklearn_heartkd.deployment._description import ExportError
    from sklearn_heartkd.deployment._onnx import ExportReport, export_onnx
    from sklearn_heartkd.deployment._persistence import ModelFileError, load_model, save_model

# Lazy, so that the runtime can be imported without torch.
_HOME_OF = {
    "ExportError": "_description",
    "ExportReport": "_onnx",
    "ModelFileError": "_persistence",
    "export_c": "_c",
    "export_onnx": "_onnx",
    "load_model": "_persistence",
    "runtime_model": "_adapter",
    "save_model": "_persistence",
}
_MODULES = ("runtime",)

__all__ = [
    "ExportError",
    "ExportReport",
    "ModelFileError",
    "export_c",
    "export_onnx",
    "load_model",
    "runtime",
    "runtime_model",
    "save_model",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
