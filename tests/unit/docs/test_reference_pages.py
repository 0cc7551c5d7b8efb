"""The reference pages name what the code has."""

import re

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
