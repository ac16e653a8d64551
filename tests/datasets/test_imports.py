import subprocess
import sys

import pytest

from sklearn_heartkd import datasets


def loaded_by(code):
    code += "; import sys; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_the_package_loads_nothing_heavy():
    assert not {"numpy", "pandas", "sklearn", "scipy"} & loaded_by(
        "import sklearn_heartkd.datasets"
    )


def test_reading_a_file_needs_no_pandas():
    code = "from sklearn_heartkd.datasets import read_recording"
    assert not {"pandas", "sklearn", "scipy"} & loaded_by(code)


def test_every_public_name_is_found():
    assert dir(datasets) == sorted(datasets.__all__)
    assert all(callable(getattr(datasets, name)) for name in datasets.__all__)
    with pytest.raises(AttributeError, match="no attribute 'load_nothing'"):
        _ = datasets.load_nothing
