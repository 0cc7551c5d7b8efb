"""The reference pages name what the code has."""

import re
from inspect import isfunction

import pytest
from typer.main import get_command

import driftline
from driftline.cli import app
from tests.unit.docs.pages import ROOT
from tests.unit.docs.references import resolve

REFERENCE = ROOT / "docs" / "reference"
NAMES = re.findall(r"^\| `(driftline[\w.]*)` \|", (REFERENCE / "python-api.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_python_name_exists(name: str) -> None:
    resolve(name)


def test_every_public_name_is_documented() -> None:
    page = (REFERENCE / "python-api.md").read_text()
    assert [name for name in driftline.__all__ if f"`driftline.{name}`" not in page] == []


def has_example(value: object) -> bool:
    """Return whether the docstring of an object, or of a base class of it, has an example."""
    objects = value.__mro__ if isinstance(value, type) else (value,)
    return any(">>>" in (each.__doc__ or "") for each in objects)


@pytest.mark.parametrize("name", NAMES)
def test_every_python_name_has_an_example(name: str) -> None:
    """A method may be called in the example of its class, and a function in that of its package."""
    parent, _, attribute = name.rpartition(".")
    called = rf"^\s*(>>>|\.\.\.).*\b{attribute}\("
    assert has_example(resolve(name)) or re.search(called, resolve(parent).__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize("value", [driftline.BacktestResult, driftline.EvaluatedChunk, driftline.FittedMonitor])
def test_every_method_of_a_result_has_an_example(value: type) -> None:
    methods = {name: getattr(value, name) for name in vars(value) if not name.startswith("_")}
    assert [
        name
        for name, method in methods.items()
        if callable(method) and not has_example(method) and f".{name}(" not in (value.__doc__ or "")
    ] == []


def test_the_examples_of_every_python_name_are_run() -> None:
    makefile = (ROOT / "Makefile").read_text()
    run = re.search(r"^PUBLIC := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert run
    objects = [value for value in map(resolve, NAMES) if isinstance(value, type) or isfunction(value)]
    modules = {value.__module__.removeprefix("driftline.").replace(".", "/") + ".py" for value in objects}
    assert [module for module in sorted(modules) if module not in run[1]] == []


def commands() -> set[str]:
    """Return every command of the `driftline` program, such as `token list`."""
    top = get_command(app).commands  # type: ignore[attr-defined]
    return {
        f"{name} {sub}".strip() for name, command in top.items() for sub in getattr(command, "commands", {"": None})
    }


def test_every_command_is_listed() -> None:
    listed = re.findall(r"^\| `driftline ([a-z ]+?)(?: [A-Z]+)?` \|", (REFERENCE / "command-line.md").read_text(), re.M)
    assert {*listed} == commands()
    assert len(listed) == len(commands())
