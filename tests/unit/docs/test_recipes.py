"""Every file and every name that a recipe of CONTRIBUTING.md gives exists."""

import re

import pytest

from tests.unit.docs.pages import CONTRIBUTING, ROOT, spans
from tests.unit.docs.references import resolve

RECIPES: dict[str, str] = dict(
    re.findall(r"^### (An? [^\n]*)\n(.*?)(?=^##+ |\Z)", CONTRIBUTING.read_text(), re.MULTILINE | re.DOTALL)
)
PACKAGES = ("driftline.", "churn.", "flaskapp.", "monitoring.", "serving.", "stack.", "devtools.")


def test_the_common_changes_have_a_recipe() -> None:
    subjects = {"drift method", "drift kind", "service", "page", "setting", "migration", "diagram"}
    assert {subject for subject in subjects if any(subject in title for title in RECIPES)} == subjects


@pytest.mark.parametrize("title", RECIPES)
def test_every_file_of_a_recipe_exists(title: str) -> None:
    files = [span for span in spans(RECIPES[title]) if "/" in span and not re.search(r"[<*{ ]", span)]
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("title", RECIPES)
def test_every_name_of_a_recipe_exists(title: str) -> None:
    for name in spans(RECIPES[title]):
        if name.startswith(PACKAGES) and re.fullmatch(r"[\w.]+", name):
            resolve(name)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_names_something_of_the_code(title: str) -> None:
    assert [span for span in spans(RECIPES[title]) if "/" in span or span.startswith(PACKAGES)]
