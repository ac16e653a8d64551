import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read once, when scikit-learn is first imported
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks train many times faster on one thread

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pascal_path():
    """The folder of the real PASCAL recordings, in the layout of the Kaggle copy."""
    root = os.environ.get("HEARTKD_DATA")
    if root is None:
        pytest.skip("HEARTKD_DATA is not set")
    path = Path(root) / "heartbeat-sounds"
    assert path.is_dir(), f"HEARTKD_DATA={root} holds no folder heartbeat-sounds"
    return path
