"""A program that reads the tables finds out whether they are current without the library that changes them."""

import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from churn.migrate import EXAMPLE
from driftline.store.migrate import LIBRARY, Migrations


@pytest.mark.parametrize(
    ("migrations", "folder"), [(LIBRARY, "src/driftline/store"), (EXAMPLE, "src/churn")], ids=["library", "example"]
)
def test_the_newest_revision_is_alembics_only_head(migrations: Migrations, folder: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{folder}/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.newest()]


@pytest.mark.slow
def test_a_service_does_not_import_alembic() -> None:
    script = "import sys, monitoring.app, serving.app, flaskapp.app; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
