"""A copy of parts of the tree, in which a recipe of docs/recipes.md is followed and tests are run."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from tests.unit.docs.pages import RECIPES, ROOT

PYTEST = ("-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--hypothesis-profile=ci")
"""A copy lacks `tests/conftest.py`, by which laws have no deadline; the profile `ci` of hypothesis has none either."""
FAILED = re.compile(r"^(?:FAILED|ERROR) ([^\s:\[]+)", re.MULTILINE)


@dataclass(frozen=True)
class TextPlace:
    """Where a block of a recipe is inserted: the file, the text before which it stands, and what follows it."""

    file: str
    before: str
    end: str = "\n"


def recipe(title: str) -> str:
    """Return the text of a recipe, such as "A metric"."""
    _, heading, rest = RECIPES.read_text().partition(f"\n## {title}\n")
    assert heading, f"docs/recipes.md has no recipe {title!r}"
    return rest.partition("\n## ")[0]


def blocks(text: str, language: str = "python") -> list[str]:
    """Return the fenced blocks of a recipe, without the indentation that they share."""
    return [dedent(block).strip("\n") for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


class TreeCopy:
    """Some folders and files of the checkout in a folder of their own."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        (folder / ".venv").symlink_to(ROOT / ".venv")
        for name in ("pyproject.toml", *names):
            self._copy(name)

    def _copy(self, name: str) -> None:
        source, target = ROOT / name, self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("var"))
        else:
            shutil.copy2(source, target)

    def read(self, file: str) -> str:
        """Return the text of a file."""
        return (self.folder / file).read_text()

    def write(self, file: str, text: str) -> None:
        """Write a file."""
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(text)

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file."""
        text = self.read(file)
        assert text.count(old) == 1, (file, old)
        self.write(file, text.replace(old, new))

    def insert(self, place: TextPlace, block: str) -> None:
        """Insert a block at its place, indented as what follows it."""
        depth = re.match(" *", place.before)
        assert depth
        self.replace(place.file, place.before, f"{indent(block, depth[0])}{place.end}{place.before}")

    def write_schema(self, text: str) -> None:
        """Write the published JSON schema again, by the command that the recipe's text shows."""
        (command,) = re.findall(r"```sh\n *\.venv/bin/python (.*) > (.*)\n", text)
        self.write(command[1], self.run(*command[0].split()))

    def run(self, *arguments: str) -> str:
        """Run Python in the copy and return what it prints."""
        completed = self._python(*arguments)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout

    def answer(self, script: str) -> Any:
        """Run a script in the copy and return the JSON that it prints."""
        return json.loads(self.run("-c", script))

    def refused(self, *arguments: str) -> str:
        """Run Python in the copy, which must fail, and return what it prints."""
        completed = self._python(*arguments)
        assert completed.returncode != 0
        return completed.stdout + completed.stderr

    def test(self, *files: str) -> None:
        """Run test files of the copy, which must pass."""
        self.run(*PYTEST, *files)

    def failing(self, *files: str) -> set[str]:
        """Run test files of the copy and return those that fail."""
        return {*FAILED.findall(self._python(*PYTEST, *files).stdout)}

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the copy's packages before the checkout's."""
        folders = [*(self.folder / name for name in ("src", "pyspark", "")), ROOT]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # several processes import the same modules
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
