"""Reads the project's pages as the docs tests need them: code spans, fenced blocks, tables, what git would track."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "how-to" / "run-the-example.md"
SETTINGS, ROUTES, VERDICTS = (DOCS / "reference" / f"{name}.md" for name in ("settings", "routes", "verdicts"))
PAGES = (README, CONTRIBUTING, EXAMPLE)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


def fenced(page: Path, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return [body for found, body in _FENCE.findall(page.read_text()) if found == language]


def spans(text: str) -> list[str]:
    """Give the inline code spans outside fenced blocks."""
    return _SPAN.findall(_FENCE.sub("", text))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, of reference-style links too."""
    found = re.findall(r"\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)$", page.read_text(), re.MULTILINE)
    return [inline or referenced for inline, referenced in found]


def section(page: Path, title: str) -> str:
    """Give the text under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {title!r}"
    return found[1]


def table(page: Path, title: str) -> list[list[str]]:
    """Give the rows of the one table in a section, its two heading lines left out."""
    rows = [line for line in section(page, title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def commands(page: Path) -> str:
    """Give all that the page shows as something to type, or names as code."""
    return "\n".join([*(body for _, body in _FENCE.findall(page.read_text())), *spans(page.read_text())])


def git(*arguments: str) -> list[str]:
    """Ask git about the checkout; without git, or outside a clone, the test is skipped and says so."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone, to know what is tracked")
    command = ("git", "-c", "safe.directory=*", *arguments)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def tracked() -> list[Path]:
    """List the files that are tracked, or would be."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in names if (ROOT / name).is_file()]
