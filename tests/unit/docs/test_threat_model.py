"""Every file and test that the threat model names exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.git_files import tracked_files
from stack import paths

PAGE = paths.ROOT / "docs" / "threat-model.md"
CODE = ("src", "flaskapp", "eda", "monitoring", "serving", "pyspark", "stack")
RUNS_WHAT_IT_READS = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def named(cell: str) -> list[str]:
    return [span for span in re.findall(r"`([^`]+)`", cell) if "/" in span or span.endswith((".py", ".yaml"))]


def test_the_page_is_one_page() -> None:
    assert len(PAGE.read_text().splitlines()) < 60


def test_each_threat_has_an_answer_and_a_test() -> None:
    assert len(rows()) >= 15
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []
    assert [row[0] for row in rows() if "tests/" not in row[2]] == []


def test_every_named_file_exists() -> None:
    files = named(PAGE.read_text())
    assert len(files) > 30
    assert [name for name in files if not name.startswith(("/", "var/")) and not (paths.ROOT / name).exists()] == []


@pytest.mark.slow
def test_no_module_reads_formats_that_run_code() -> None:
    code = [file for file in tracked_files() if file.suffix == ".py" and file.relative_to(paths.ROOT).parts[0] in CODE]
    assert len(code) > 150
    assert {name for file in code for name in imported(file)} & RUNS_WHAT_IT_READS == set()


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
