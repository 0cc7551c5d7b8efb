"""Commands, paths, links and settings that the pages name exist."""

import importlib.util
import json
import re
from datetime import date
from pathlib import Path

import pytest

from driftline.engine.results import State
from stack.demo.findings import table_of
from stack.demo.plan import Plan, Scenario
from stack.setup import prerequisites
from tests.unit.docs.pages import (
    CONTRIBUTING,
    EXAMPLE,
    PAGES,
    README,
    ROOT,
    VERDICTS,
    commands,
    fenced,
    git,
    links,
    spans,
    table,
    tracked,
)


def test_the_excerpt_has_the_columns_of_the_demos_table() -> None:
    plan = Plan.ending(Scenario(), date(2026, 2, 28))
    columns = [str(column.header) for column in table_of([], plan).columns]
    headings = re.split(r"\s{2,}|\n|[┃│|]", fenced(EXAMPLE, "text")[0])
    assert [name.strip() for name in headings if name.strip() in columns][: len(columns)] == columns


@pytest.mark.parametrize("page", [README, EXAMPLE], ids=lambda page: page.name)
def test_the_prerequisites_are_those_of_the_setup(page: Path) -> None:
    needs = page.read_text()
    pythons = " or ".join(f"{major}.{minor}" for major, minor in prerequisites.PYTHONS)
    assert f"Python {pythons}" in needs
    assert f"Java {' or '.join(map(str, prerequisites.JAVAS))}" in needs
    assert f"{prerequisites.DISK_GB} GB" in needs


def test_every_state_is_explained() -> None:
    assert [spans(state)[0] for state, _ in table(VERDICTS, "States")] == [*State]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_make_target_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {*re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE)}
    named = {
        word
        for words in re.findall(r"\bmake((?: [a-z][a-z0-9-]*\b(?!=))+)", commands(page) + _indented(page))
        for word in words.split()
    }
    assert named, "the page names no target at all"
    assert named - targets == set()


def _indented(page: Path) -> str:
    return "\n".join(
        line.split("#")[0].rstrip() for line in page.read_text().splitlines() if line.startswith("    make")
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_link_and_path_exists(page: Path) -> None:
    targets = [link.split("#")[0] for link in links(page)]
    local = [target for target in targets if target and "://" not in target]
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    words = " ".join(commands(page).split()).replace("'", " ").replace("=", " ").split()
    paths = [word.rstrip(".,;:)") for word in words if word.split("/")[0] in folders and "/" in word]
    assert {*local, *paths}, "the page names no path"
    assert [path for path in paths if not _exists(path)] == []
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_link_of_every_page_leads_somewhere() -> None:
    for page in (file for file in tracked() if file.suffix == ".md"):
        for link in links(page):
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            assert "://" in link or target.exists(), (page, link)
            assert "://" in link or not heading or heading in _anchors(target), (page, link)


FORBIDDEN = {"pyspark/README.md": {"__init__.py", "logging.py"}, "docs/decisions/README.md": {"__init__.py"}}
"""Python files that a README names because they may not exist."""


def test_every_python_file_that_a_readme_names_exists() -> None:
    """A path begins at the README's folder, at one above it, or at `src/`; below the folder a name is enough."""
    missing = []
    for page in (file for file in tracked() if file.name == "README.md"):
        forbidden = FORBIDDEN.get(page.relative_to(ROOT).as_posix(), set())
        names = {span for span in spans(page.read_text()) if re.fullmatch(r"[\w./]+\.py", span)} - forbidden
        folders = [ROOT / "src", *(folder for folder in page.parents if folder.is_relative_to(ROOT))]
        absent = [name for name in names if not any((folder / name).exists() for folder in folders)]
        missing += [(page, name) for name in absent if not any(page.parent.rglob(name))]
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _exists(path: str) -> bool:
    if re.search(r"[<*{…]", path):
        return any(ROOT.glob(re.sub(r"<[^>]*>|\{[^}]*\}|…", "*", path)))
    return (ROOT / path).exists() or bool(git("check-ignore", "--no-index", path, f"{path.rstrip('/')}/"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_module_to_run_exists(page: Path) -> None:
    modules = {*re.findall(r"-m ([a-z_]+(?:\.[a-z_]+)*)", commands(page))}
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_every_folder_of_code_is_explained() -> None:
    explained = " ".join(cell for row in table(CONTRIBUTING, "The source tree") for cell in row)
    folders = {path.parts[0] for path in map(Path, git("ls-files", "*.py", "*.puml"))}
    assert [name for name in sorted(folders) if f"`{name}/" not in explained] == []


def test_every_folder_of_the_library_is_explained() -> None:
    explained = " ".join(cell for row in table(CONTRIBUTING, "The source tree") for cell in row)
    folders = {path.parts[2] for path in map(Path, git("ls-files", "src/driftline/*/*.py"))}
    assert [name for name in sorted(folders) if f"`{name}/" not in explained] == []


@pytest.mark.parametrize("name", ["eda/query_params.json", "pyspark/config.json"])
def test_the_keys_of_a_configuration_file_are_named(name: str) -> None:
    keys = json.loads((ROOT / name).read_text())
    assert name in EXAMPLE.read_text()
    assert [key for key in keys if f"`{key}`" not in EXAMPLE.read_text()] == []


def test_contributing_names_the_folders_of_tests() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert folders == {"unit", "integration", "e2e", "examples", "images", "chaos"}
    assert [name for name in folders if f"tests/{name}" not in CONTRIBUTING.read_text()] == []
