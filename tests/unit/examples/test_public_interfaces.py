"""Examples use public interfaces only: of driftline, the names that its reference documents."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.pages import DOCS, ROOT

PYTHON_API = DOCS / "reference" / "python-api.md"
EXAMPLES = "examples"
CODE = ("churn", "churn_jobs", "devtools", "driftline", "eda", "flaskapp", "monitoring", "serving", "stack")


def imported_names() -> Iterator[tuple[Path, str]]:
    """Yield each name of the project that a file of examples/ imports, with its module."""
    for file in (ROOT / EXAMPLES).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: write the whole name of the module"
                yield from ((file, f"{node.module}.{alias.name}") for alias in node.names)


def test_examples_import_documented_names_only() -> None:
    page = PYTHON_API.read_text()
    names = {name for _, name in imported_names() if name.partition(".")[0] in CODE}
    assert names
    assert {name for name in names if f"`{name}`" not in page} == set()
