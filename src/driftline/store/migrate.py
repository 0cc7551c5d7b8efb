"""Bring the database's schema to this version: the only place that changes tables of the product itself."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from driftline.errors import NotMigrated
from driftline.store.database import translated


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(files("driftline.store") / "migrations"))
    return config


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing; run twice, it changes nothing. Needs the owner's rights."""
    with translated(), engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Check that the schema is this version's.

    Raises:
        NotMigrated: it is older or newer. DatabaseUnavailable: the server is away.
    """
    with translated(), engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
    if present != tuple(ScriptDirectory.from_config(_config()).get_heads()):
        raise NotMigrated
