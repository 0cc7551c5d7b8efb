"""Reads the project's pages: code spans, fenced blocks, tables and links; and lists the tracked files."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
RECIPES = ROOT / "docs" / "recipes.md"
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "how-to" / "run-the-example.md"
SETTINGS, ROUTES, VERDICTS = (DOCS / "reference" / f"{name}.md" for name in ("settings", "routes", "verdicts"))
PAGES = (README, CONTRIBUTING, RECIPES, EXAMPLE)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


def fenced(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [body for tag, body in _FENCE.findall(page.read_text()) if tag == language]


def spans(text: str) -> list[str]:
    """Return the inline code spans outside fenced blocks."""
    return _SPAN.findall(_FENCE.sub("", text))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, of reference-style links too."""
    targets = re.findall(r"\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)$", page.read_text(), re.MULTILINE)
    return [inline or referenced for inline, referenced in targets]


def section(page: Path, title: str) -> str:
    """Return the text under a heading, up to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert match, f"{page.name} has no section {title!r}"
    return match[1]


def table(page: Path, title: str) -> list[list[str]]:
    """Return the rows of the table in a section, without its two heading lines."""
    rows = [line for line in section(page, title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def commands(page: Path) -> str:
    """Return the text of all code blocks and code spans of a page."""
    return "\n".join([*(body for _, body in _FENCE.findall(page.read_text())), *spans(page.read_text())])


def git(*arguments: str) -> list[str]:
    """Run git in the checkout and return its lines; the test is skipped without git or outside a clone."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone, to know what is tracked")
    command = ("git", "-c", "safe.directory=*", *arguments)
    completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert completed.returncode in (0, 1), completed.stderr
    return completed.stdout.splitlines()


def tracked() -> list[Path]:
    """Return the files that are tracked, or would be if they were added."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in names if (ROOT / name).is_file()]
