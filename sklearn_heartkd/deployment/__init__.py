"""From a fitted model to the device: ONNX, C, saving, and a runtime without torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn_heartkd.deployment._torch import require_torch

if TYPE_CHECKING:
    from sklearn_heartkd.deployment import runtime as runtime
    from sklearn_heartkd.deployment._adapter import runtime_model as runtime_model
    from sklearn_heartkd.deployment._c import export_c as export_c
    from sklearn_heartkd.deployment._description import ExportError as ExportError
    from sklearn_heartkd.deployment._domain import DomainDetector as DomainDetector
    from sklearn_heartkd.deployment._onnx import ExportReport as ExportReport
    from sklearn_heartkd.deployment._onnx import export_onnx as export_onnx
    from sklearn_heartkd.deployment._persistence import ModelFileError as ModelFileError
    from sklearn_heartkd.deployment._persistence import load_model as load_model
    from sklearn_heartkd.deployment._persistence import save_model as save_model

# Lazy, so that the runtime can be imported without torch.
_HOME_OF = {
    "DomainDetector": "_domain",
    "ExportError": "_description",
    "ExportReport": "_onnx",
    "ModelFileError": "_persistence",
    "export_c": "_c",
    "export_onnx": "_onnx",
    "load_model": "_persistence",
    "runtime": "runtime",
    "runtime_model": "_adapter",
    "save_model": "_persistence",
}

_WITHOUT_TORCH = ("DomainDetector", "ModelFileError", "runtime")

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _WITHOUT_TORCH:
        require_torch(name)
    home = import_module(f"{__name__}.{_HOME_OF[name]}")
    return home if name == "runtime" else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
