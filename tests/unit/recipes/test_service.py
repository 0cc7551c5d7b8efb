"""The recipe for a service, followed in a copy with a job that writes a summary of the week."""

import re

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
PROJECT, TABLE = "pyproject.toml", "stack/services/table.py"
EXTRA = TextPlace(PROJECT, 'gcs = ["gcsfs')
ROW = TextPlace(TABLE, "SERVICES = (OWNER, ", "\n\n")
USER = TextPlace("PlantUMLDiagrams/database.puml", "rectangle raw <<server>> [")
SERVICES = "tests/unit/devtools/generators/test_services.py"
DOCKERFILE = "tests/unit/deploy/test_dockerfile.py"
DIAGRAMS = "tests/unit/docs/test_diagrams.py"
CONTAINERS = "tests/unit/docs/test_container_diagrams.py"
CHECKS = (
    SERVICES,
    DOCKERFILE,
    CONTAINERS,
    f"{DIAGRAMS}::test_the_picture_of_the_database_names_every_table_and_account",
)
FOLDERS = (
    *("src", "flaskapp", "eda", "monitoring", "serving", "stack", "pyspark", "devtools", "deploy", "docs"),
    *("PlantUMLDiagrams", "requirements", "tests/unit", "CONTRIBUTING.md", "README.md", "Makefile"),
    *("compose.yaml", ".dockerignore", ".github/workflows"),
)
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
SCRIPT = """
import json
from pathlib import Path

from stack.services.accounts import ACCOUNTS
from stack.services.environments import settings_for
from stack.services.local import PROCESSES
from stack.services.site import Site

variables = settings_for("digest", Site.at(Path("var"), {"DIGEST_DAY": "monday", "MONITOR_PORT": "1"}))
print(json.dumps([variables, sorted(ACCOUNTS), [process.name for process in PROCESSES]]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """Add the recipe's job: its folder, its libraries and its row."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), FOLDERS)
    section = recipe("A service")
    (extra,), (row,) = blocks(section, "toml"), blocks(section)
    tree.write("digest/__init__.py", '"""Writes a summary of the week."""\n')
    tree.write("digest/__main__.py", '"""Run the job: `python -m digest`."""\n\nimport driftline.store.tables\n')
    tree.insert(EXTRA, extra)
    tree.insert(ROW, row)
    tree.replace(TABLE, "JOBS, MONITOR, SERVING)\n", "JOBS, MONITOR, SERVING, DIGEST)\n")
    tree.write(PROJECT, _with_the_folder(tree.read(PROJECT)))
    return tree


def _with_the_folder(project: str) -> str:
    """Enter the folder wherever that of the service `serving` is entered."""
    in_lists = re.sub(r'"monitoring", "serving"(?=[,\]])', '"monitoring", "serving", "digest"', project)
    return in_lists.replace("monitoring | serving |", "monitoring | serving | digest |")


def test_the_recipes_tests_fail_until_its_files_are_written(copy: TreeCopy) -> None:
    section = recipe("A service")
    named = (PROJECT, TABLE, SERVICES, DOCKERFILE, DIAGRAMS, CONTAINERS, USER.file)
    assert [name for name in named if f"`{name}`" not in section] == []
    assert copy.failing(SERVICES) == {SERVICES}
    copy.run("-m", "devtools.generators.services")
    copy.write("requirements/digest.lock", copy.read("requirements/core.lock"))
    copy.insert(USER, 'rectangle "**driftline_digest**\\nsummary of the week" as digest <<job>>')
    copy.test(*CHECKS)


def test_the_environment_and_the_user_follow_from_the_row(copy: TreeCopy) -> None:
    variables, accounts, processes = copy.answer(SCRIPT)
    assert (variables["DIGEST_DAY"], variables["DB_USER"]) == ("monday", "driftline_digest")
    assert "MONITOR_PORT" not in variables
    assert "driftline_digest" in accounts
    assert "digest" not in processes


def test_the_contracts_find_a_job_that_imports_a_service(copy: TreeCopy) -> None:
    main = "digest/__main__.py"
    assert "6 kept, 0 broken" in copy.run("-c", LINT)
    copy.replace(main, "import driftline.store.tables", "import monitoring.settings")
    assert "digest is not allowed to import monitoring" in copy.refused("-c", LINT)
    copy.replace(main, "import monitoring.settings", "import driftline.store.tables")
