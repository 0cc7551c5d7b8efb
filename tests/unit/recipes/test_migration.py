"""The recipe for a migration, followed in a copy with a table of notes on models."""

import pytest

from tests.unit.recipes.migration_steps import FILE, NEWEST, TABLE, add_table
from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, recipe

pytestmark = pytest.mark.slow
BOX = TextPlace("PlantUMLDiagrams/tables.puml", "  entity sent_chunks <<server>> {")
ROW = TextPlace("PlantUMLDiagrams/database.puml", "<#DCEFDD,#9CC2A0>| what a time series database has got |")
HEADS = "tests/unit/driftline/store/test_migrations.py"
DIAGRAMS = "tests/unit/docs/test_diagrams.py"
DRAWN = tuple(
    f"{DIAGRAMS}::{name}"
    for name in (
        "test_every_table_is_drawn",
        "test_a_tables_key_and_columns_are_those_drawn[model_notes]",
        "test_the_picture_of_the_database_names_every_table_and_account",
    )
)
FOLDERS = (
    *("src", "flaskapp", "eda", "monitoring", "serving", "stack", "pyspark", "devtools", "docs", "tests/unit"),
    *("PlantUMLDiagrams", "CONTRIBUTING.md", "README.md"),
)
SCRIPT = f"""
import json
import runpy
from io import StringIO

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from driftline.store.migrate import LIBRARY
from driftline.store.removal import _tables_of_models
from driftline.store.tables import model_notes
from stack.services.table import JOBS, MONITOR

statements = StringIO()
options = {{"as_sql": True, "output_buffer": statements}}
with Operations.context(MigrationContext.configure(dialect_name="mysql", opts=options)):
    runpy.run_path("{FILE}")["upgrade"]()
print(json.dumps({{
    "migrated": statements.getvalue(),
    "described": str(CreateTable(model_notes).compile(dialect=mysql.dialect())),
    "newest": LIBRARY.newest(),
    "removed": model_notes in _tables_of_models(),
    "services": [s.name for s in (JOBS, MONITOR) if any("model_notes" in grant.tables for grant in s.grants)],
}}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """Add the recipe's table and its migration."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), FOLDERS)
    add_table(tree)
    return tree


def test_the_recipes_tests_fail_until_the_table_is_drawn(copy: TreeCopy) -> None:
    section = recipe("A migration")
    assert [name for name in (HEADS, DIAGRAMS, TABLE.file, BOX.file, ROW.file) if f"`{name}`" not in section] == []
    assert copy.failing(DRAWN[0]) == {DIAGRAMS}
    copy.insert(BOX, "entity model_notes <<server>> {\n  model_number\n  position\n  --\n  note\n}")
    copy.insert(ROW, "<#DCEFDD,#9CC2A0>| notes on models | model_notes | monitor |")
    copy.test(HEADS, *DRAWN)


def test_the_migration_makes_the_table_that_the_code_describes(copy: TreeCopy) -> None:
    followed = copy.answer(SCRIPT)
    assert _words(followed["migrated"]) == _words(followed["described"])
    assert followed["newest"] == f"{NEWEST + 1:04}"
    assert followed["removed"]
    assert followed["services"] == ["monitor"]


def _words(statement: str) -> list[str]:
    return statement.replace(";", "").split()
