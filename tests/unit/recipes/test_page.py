"""The recipe for a page of the dashboard, followed in a copy with a page that needs no database."""

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
VIEW = TextPlace("monitoring/pages/dashboard.py", '    pages.get("/")(', "\n\n")
TEMPLATE = "monitoring/pages/templates/about.html"
ROW = TextPlace("docs/reference/routes.md", "| monitor | `GET /alerts`, ")
CHECK = "tests/unit/docs/test_routes_table.py"
COMPARED = tuple(
    f"{CHECK}::{name}"
    for name in (
        "test_the_table_of_routes_is_that_of_the_service[monitor]",
        "test_every_route_declares_the_scope_it_needs[monitor]",
        "test_the_openapi_names_every_route_of_the_table",
    )
)
FOLDERS = ("src", "flaskapp", "monitoring", "serving", "docs", "tests/unit/docs")
SCRIPT = """
import json

from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings

nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
answer = create_app(MonitorSettings(poll_seconds=7), nobody, polls=False).test_client().get("/about")
print(json.dumps([answer.status_code, answer.text]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """Add the recipe's view and its template."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), FOLDERS)
    section = recipe("A page of the dashboard")
    (view,), (template,) = blocks(section), blocks(section, "html")
    tree.insert(VIEW, view)
    tree.write(TEMPLATE, f"{template}\n")
    return tree


def test_the_page_is_shown(copy: TreeCopy) -> None:
    status, page = copy.answer(SCRIPT)
    assert status == 200
    assert "<h1>About</h1>\n<p>The monitor polls every 7 s.</p>" in page
    assert "<title>About – Driftline</title>" in page


def test_the_test_that_the_recipe_names_passes_in_the_copy(copy: TreeCopy) -> None:
    assert f"`{CHECK}`" in recipe("A page of the dashboard")
    copy.insert(ROW, "| monitor | `GET /about` | How often the monitor polls. |")
    copy.replace(CHECK, "|changes|register|", "|changes|about|register|")
    copy.test(*COMPARED)
