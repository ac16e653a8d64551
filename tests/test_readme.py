import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.slow
def test_the_ten_lines_work(capsys):
    code = re.search(r"## Ten lines\s+```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    exec(compile(code.group(1), "README.md", "exec"), {})
    scores = [float(number) for number in re.findall(r"[01]\.\d*", capsys.readouterr().out)]
    assert len(scores) == 3
    assert min(scores) > 0.5
