"""Print the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
extras = project["project"]["optional-dependencies"].values()
for requirement in [
    *project["project"]["dependencies"],
    *(item for extra in extras for item in extra),
]:
    found = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
    if found and found[1] != "torch":  # its own lower bound is tested by the workflow
        print(f"{found[1]}=={found[2]}")
