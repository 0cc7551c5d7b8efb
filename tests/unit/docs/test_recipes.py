"""Every file and every name that a recipe of docs/recipes.md gives exists, dotted or not."""

import re

import pytest

from tests.unit.docs.pages import CONTRIBUTING, RECIPES, ROOT, links, spans, tracked
from tests.unit.docs.references import resolve

SECTIONS: dict[str, str] = dict(
    re.findall(r"^## (An? [^\n]*)\n(.*?)(?=^##+ |\Z)", RECIPES.read_text(), re.MULTILINE | re.DOTALL)
)
PACKAGES = ("driftline.", "churn.", "flaskapp.", "monitoring.", "serving.", "stack.", "devtools.")


def test_the_common_changes_have_a_recipe() -> None:
    subjects = {"drift method", "drift kind", "service", "page", "setting", "migration", "diagram"}
    assert {subject for subject in subjects if any(subject in title for title in SECTIONS)} == subjects


def test_contributing_lists_every_recipe() -> None:
    anchors = [link.partition("#")[2] for link in links(CONTRIBUTING) if link.startswith("docs/recipes.md#")]
    assert anchors == [title.lower().replace(" ", "-") for title in SECTIONS]


@pytest.mark.parametrize("title", SECTIONS)
def test_every_file_of_a_recipe_exists(title: str) -> None:
    files = [span for span in spans(SECTIONS[title]) if "/" in span and not re.search(r"[<*{ ]", span)]
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("title", SECTIONS)
def test_every_name_of_a_recipe_exists(title: str) -> None:
    for name in spans(SECTIONS[title]):
        if name.startswith(PACKAGES) and re.fullmatch(r"[\w.]+", name):
            resolve(name)


IDENTIFIER = re.compile(r"([A-Za-z_]+)(?:\(.*\))?")
DEFINITION = re.compile(r"^ *(?:class |def |from .* import )?(\w+)(?:\(.*|:.*| = .*)?$", re.MULTILINE)
"""A class, a function, a constant, a field, or a name that is imported alone, each on a line of its own."""


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """The names that the Python files define."""
    texts = (file.read_text() for file in tracked() if file.suffix == ".py")
    return {name for text in texts for name in DEFINITION.findall(text)}


@pytest.mark.parametrize("title", SECTIONS)
def test_every_identifier_of_a_recipe_is_defined(title: str, defined: set[str]) -> None:
    identifiers = {match[1] for span in spans(SECTIONS[title]) if (match := IDENTIFIER.fullmatch(span))}
    assert sorted(identifiers - defined) == []


@pytest.mark.parametrize("title", SECTIONS)
def test_a_recipe_names_something_of_the_code(title: str) -> None:
    assert [span for span in spans(SECTIONS[title]) if "/" in span or span.startswith(PACKAGES)]
