"""From a fitted model to the device: ONNX, C, saving, and a runtime without torch."""

from importlib import import_module

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


def __getattr__(name):
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
