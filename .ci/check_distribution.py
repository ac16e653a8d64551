"""Check that the sdist and the wheel in a folder hold what git tracks, and that README's links work.

Usage: python .ci/check_distribution.py DIST
"""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

root = Path(__file__).parents[1]
dist = Path(sys.argv[1])
listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
tracked = {name for name in listed.stdout.decode().split("\0") if name and name[0] != "."}
with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
    in_sdist = {name.partition("/")[2] for name in archive.getnames()}
with zipfile.ZipFile(next(dist.glob("*.whl"))) as archive:
    in_wheel = set(archive.namelist())
package = {name for name in tracked if name.startswith("sklearn_heartkd/")}
links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (root / "README.md").read_text("utf-8"))
missing = {
    "not in the sdist": tracked - in_sdist,
    "not in the wheel": package - in_wheel,
    "in the wheel but not tracked": {n for n in in_wheel - package if ".dist-info/" not in n},
    "linked from README.md but not in the sdist": set(links) - in_sdist,
}
for what, names in missing.items():
    for name in sorted(names):
        print(f"{name}: {what}")
sys.exit(any(missing.values()))
