"""Every command that README.md and docs/ name in a sentence or table exists and takes these options.

Commands in blocks are run by `test_blocks.py`. Here each is parsed by the parser of its own script, which
is caught at the moment when the script would read its command line: nothing is run.
"""

import argparse
import re
import shlex
from functools import cache
from importlib import import_module
from unittest import mock

import pytest

from sklearn_heartkd import cli
from tests.docs.pages import ROOT, pages

BLOCK = re.compile(r"^( *)(`{3,})(?!\{)[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"`(?:[A-Z_]+=\S+\s+)*((?:python\s+-m\s+benchmarks\.|heartkd\s)[^`]+)`")


class Caught(Exception):
    """Carries the parser that a script made."""

    def __init__(self, parser):
        self.parser = parser


def caught(main, *arguments):
    """Return the parser that a function makes, and stop the function there."""

    def stop(parser, *_, **__):
        raise Caught(parser)

    with mock.patch.object(argparse.ArgumentParser, "parse_args", stop):
        try:
            main(*arguments)
        except Caught as found:
            return found.parser
    raise AssertionError("parse_args was not called")


def relaxed(parser):
    """Return the parser without obligations: text also names a command without its arguments."""
    for action in parser._actions:
        action.required = False
        if not action.option_strings:
            action.nargs = {None: "?", "+": "*"}.get(action.nargs, action.nargs)
    return parser


@cache
def benchmark(name):
    """Return the parser of a benchmark; for one without a parser, its number of arguments."""
    path = ROOT.joinpath("benchmarks", *name.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    assert path.is_file(), f"there is no benchmarks.{name}"
    source = path.read_text("utf-8")
    if ".parse_args(" not in source:
        return int("sys.argv[1]" in source)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return relaxed(caught(import_module(name).main))


@cache
def heartkd(verb):
    """Return the parser of a verb, or that of the command itself for an option such as --version."""
    if verb.startswith("-"):
        return caught(cli.main, [])
    assert verb in cli._VERBS, f"heartkd has no verb {verb}"
    (subparsers,) = caught(cli.main, [verb])._subparsers._group_actions
    return relaxed(subparsers.choices[verb])


def check(command):
    """Raise AssertionError for a command that does not exist or does not take these options."""
    program, *words = shlex.split(command.replace("…", ""))
    if program == "python":
        words = words[1:]
    name, words = words[0].removeprefix("benchmarks."), words[1:]
    if name.isupper():  # a placeholder
        return
    known = heartkd(name) if program == "heartkd" else benchmark(name)
    words = [name] if name.startswith("-") else words
    if isinstance(known, int):
        assert len(words) <= known, f"benchmarks.{name} takes {known} arguments"
        return
    last = known._option_string_actions.get(words[-1]) if words else None
    if last is not None and last.nargs != 0:  # an option is named, without a value
        words.append(str(next(iter(last.choices or [1]))))

    def error(message):
        raise AssertionError(message)

    with mock.patch.object(known, "error", error):
        try:
            known.parse_args(words)
        except SystemExit:
            assert {"--help", "--version"} & set(words)


def found_in(text):
    return [" ".join(command.split()) for command in COMMAND.findall(BLOCK.sub("", text))]


PAGES = {page: found_in((ROOT / page).read_text("utf-8")) for page in pages()}
NAMED = sorted({(page, command) for page, found in PAGES.items() for command in found})


@pytest.mark.slow
@pytest.mark.parametrize(("page", "command"), NAMED)
def test_a_command_in_the_text_exists_and_takes_its_options(page, command):
    check(command)


def test_the_index_of_the_benchmarks_names_every_script():
    folder = ROOT / "benchmarks"
    scripts = {
        path.relative_to(folder).with_suffix("").as_posix().removesuffix("/__main__")
        for path in folder.rglob("*.py")
        if '__name__ == "__main__"' in path.read_text("utf-8")
    }
    found = PAGES["docs/benchmarks/index.md"]
    named = {words[2] for words in map(str.split, found) if words[0] == "python"}
    assert named == {f"benchmarks.{script}" for script in scripts}


@pytest.mark.parametrize(
    "command",
    [
        "python -m benchmarks.nothing",
        "python -m benchmarks.extrastole --nothing",
        "python -m benchmarks.extrastole --data one two",
        "python -m benchmarks.features_speed one",
        "heartkd nothing",
        "heartkd --nothing",
        "heartkd predict --nothing",
        "heartkd export model.skops --to nothing",
    ],
)
def test_wrong_commands_are_found(command):
    with pytest.raises(AssertionError):
        check(command)


def test_commands_are_found_in_text_and_tables_but_not_in_blocks():
    text = "| `A=1 python -m\nbenchmarks.x --y 1` |\n```bash\n`heartkd one`\n```\nand `heartkd two`"
    assert found_in(text) == ["python -m benchmarks.x --y 1", "heartkd two"]
