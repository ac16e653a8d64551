import subprocess
import sys

import pytest

HEAVY = {"torch", "matplotlib", "shap"}


@pytest.mark.parametrize(("package", "allowed"), [("metrics", set()), ("inspection", {"torch"})])
def test_lean_imports(package, allowed):
    code = f"import sys, sklearn_heartkd.{package}; print(*{HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= allowed
