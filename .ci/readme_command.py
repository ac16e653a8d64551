"""Print the command that README.md gives for the tests."""

import re
from pathlib import Path

readme = Path(__file__).resolve().parent.parent.joinpath("README.md").read_text(encoding="utf-8")
found = re.search(r"<!-- tests -->\s*```(?:bash|sh)\n(.*?)```", readme, re.DOTALL)
if found is None:
    raise SystemExit("README.md has no code block marked <!-- tests -->")
print(found.group(1).strip())
