"""Reads what a diagram shows, and the names that the code defines."""

import re
from functools import cache
from pathlib import Path

from devtools.documentation import diagrams
from tests.unit.docs.pages import ROOT

SOURCES = {source.stem: source for source in diagrams.sources()}
CODE = (
    "src/driftline",
    "src/churn",
    "flaskapp",
    "eda",
    "pyspark",
    "monitoring",
    "serving",
    "stack",
    "devtools",
    "examples",
)
PRODUCTS = {"MySQL", "MariaDB", "GitHub", "WebSocket"}

_ENDINGS = r"py|sql|json|csv|svg|html|yaml|yml"
_FILE = rf"[\w-]+\.(?:{_ENDINGS})(?:\.gz)?\b"
_WORD = r"\b[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b|\b[A-Za-z]*[a-z][A-Z]\w*"
_DEFINED = (
    r"^ *(?:def|class) (\w+)",
    r"^ *(\w+)(?:: [^=\n]+)? = ",
    r"^    (\w+): ",
    r"""["'/]([\w.-]+)["'/]""",
    r"PROCEDURE (\w+)",
)


def text(name: str) -> str:
    """Return a diagram's source with line breaks as blanks: the visible text, and comments that name files."""
    lines = SOURCES[name].read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("!")).replace("\\n", " ")


def drawn(name: str) -> str:
    """Return the visible text of a diagram: `text` without comments, styles and colors."""
    lines = text(name).splitlines()[1:]
    return re.sub(r"<[^<>]*>|\*\*|\"", " ", "\n".join(line for line in lines if not line.startswith("'")))


def words(name: str) -> set[str]:
    """Return the words of a diagram that can only be names of the code: with an underscore or an inner capital."""
    without_files = re.sub(_FILE, " ", text(name))
    return {*re.findall(_WORD, without_files)} - PRODUCTS


def files(name: str) -> set[str]:
    """Return the names of files in a diagram, without their folders."""
    return {*re.findall(_FILE, text(name))}


@cache
def names_of_code() -> frozenset[str]:
    """Return the names that the code defines: functions, classes, variables, fields, strings that are words, files."""
    names = {path.name for place in (ROOT, ROOT / ".github" / "workflows") for path in place.iterdir()}
    for path in _files_of_code():
        content = path.read_text()
        names |= {path.stem, *path.relative_to(ROOT).parts}
        names |= {name for pattern in _DEFINED for name in re.findall(pattern, content, re.MULTILINE)}
    return frozenset(names)


def _files_of_code() -> list[Path]:
    every = (path for folder in CODE for path in (ROOT / folder).rglob("*.*"))
    return [path for path in every if path.suffix in (".py", ".sql", ".json") and "__pycache__" not in path.parts]
