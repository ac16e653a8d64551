"""Every code block of README.md and docs/ runs, one after another on each page, in a folder of its own.

Python blocks with prompts are doctests; others are executed. Blocks in bash run in a shell, where `heartkd`
is the installed command. Blocks in C are files, named in their first line, that must compile without
warnings. Each page finds `recordings/` (one folder for each class, the subject in front of the file names)
and `recording.wav`.
"""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from tests.docs.pages import ROOT, blocks, not_run, pages

LANGUAGES = {"python", "bash", "c", "text"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ALL = {page: blocks(page) for page in pages()}
EXCEPTIONS = not_run()


def is_exception(block):
    return any(
        block.page == known["page"] and block.text.startswith(known["begins"])
        for known in EXCEPTIONS
    )


def runs(block):
    return block.language in LANGUAGES - {"text"} and not is_exception(block)


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Files that the commands of the pages use."""
    import soundfile

    from sklearn_heartkd.datasets import make_heart_sounds

    folder = tmp_path_factory.mktemp("material")
    sounds = make_heart_sounds(
        48, classes=("normal", "murmur"), n_subjects=24, duration=6, random_state=0
    )
    for number, (row, label, subject) in enumerate(
        zip(sounds.data, sounds.target, sounds.groups, strict=True)
    ):
        path = folder / "recordings" / label / f"p{subject}_{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, row, sounds.sampling_rate)
    soundfile.write(folder / "recording.wav", sounds.data[1], sounds.sampling_rate)
    return folder


def run_python(block, names):
    if ">>> " not in block.text:
        exec(compile(block.text, f"{block.page}:{block.line}", "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(
        block.text, names, block.page, block.page, block.line
    )
    runner = doctest.DebugRunner(optionflags=OPTIONS)
    try:
        runner.run(test, clear_globs=False)
    except doctest.UnexpectedException as error:
        raise error.exc_info[1] from None
    except doctest.DocTestFailure as failure:
        pytest.fail(
            f"{block.page}:{block.line}: {failure.example.source}expected\n"
            f"{failure.example.want}got\n{failure.got}",
            pytrace=False,
        )
    names.update(test.globs)


def run_in_shell(block):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{block.page}:{block.line}: {done.stdout}{done.stderr}"


def compile_c(block):
    name = re.match(r"/\* (\w+\.c)\b", block.text)
    assert name, f"{block.page}:{block.line}: the first line must be /* NAME.c */"
    Path(name.group(1)).write_text(block.text, "utf-8")
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", name.group(1)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{block.page}:{block.line}: {done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, found in ALL.items() if any(map(runs, found))])
def test_blocks_run(page, tmp_path, monkeypatch, material):
    monkeypatch.chdir(tmp_path)
    found = [block for block in ALL[page] if runs(block)]
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    names = {"__name__": page}
    try:
        for block in found:
            if block.language == "python":
                run_python(block, names)
            elif block.language == "bash":
                run_in_shell(block)
            else:
                compile_c(block)
    finally:
        plt.close("all")


def test_blocks_have_a_known_language():
    found = [block for each in ALL.values() for block in each]
    assert [block[:3] for block in found if block.language not in LANGUAGES] == []


def test_at_most_ten_blocks_do_not_run_and_each_has_a_reason():
    assert len(EXCEPTIONS) <= 10
    for known in EXCEPTIONS:
        here = [b for b in ALL[known["page"]] if b.text.startswith(known["begins"])]
        assert len(here) == 1, known
        assert known["reason"]


def test_prompts_of_the_reference_run():
    results = [
        doctest.testfile(str(path), module_relative=False, optionflags=OPTIONS, raise_on_error=True)
        for path in ROOT.glob("docs/reference/*.rst")
    ]
    assert sum(result.attempted for result in results) > 0
