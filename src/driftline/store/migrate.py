"""Create and upgrade database tables: the only code that changes tables."""

from dataclasses import dataclass
from importlib.resources import files

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from driftline.errors import NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine, translated


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one package, independent of those of any other package in the same database.

    `package` has a folder `migrations` with Alembic's `env.py` and `versions/`; `version_table` records which of them
    have run; `upgrade_command` is what a user runs to apply them.
    """

    package: str
    version_table: str
    upgrade_command: str

    def upgrade(self, engine: Engine) -> None:
        """Run every migration that is missing; a second run changes nothing. Needs the owner's rights."""
        with translated(), engine.begin() as connection:
            command.upgrade(self._config(connection), "head")

    def require_current(self, engine: Engine) -> None:
        """Check that the tables are those of this version.

        Raises:
            NotMigrated: they are older, newer or missing. DatabaseUnavailable: the server is away.
        """
        options = {"version_table": self.version_table}
        with translated(), engine.connect() as connection:
            present = MigrationContext.configure(connection, opts=options).get_current_heads()
        expected = tuple(ScriptDirectory.from_config(self._config()).get_heads())
        if present != expected:
            raise NotMigrated(
                f"The database's tables are at version {_joined(present)}, and this program needs {_joined(expected)}; "
                f"run `{self.upgrade_command}`."
            )

    def _config(self, connection: Connection | None = None) -> Config:
        config = Config(attributes={"connection": connection, "version_table": self.version_table})
        config.set_main_option("script_location", str(files(self.package) / "migrations"))
        return config


LIBRARY = Migrations("driftline.store", version_table="alembic_version", upgrade_command="driftline db upgrade")


def upgrade(engine: Engine) -> None:
    """Upgrade the tables that monitoring needs; a second run changes nothing. Needs the owner's rights."""
    LIBRARY.upgrade(engine)


def require_current(engine: Engine) -> None:
    """Check that the tables that monitoring needs are those of this version.

    Raises:
        NotMigrated: they are older, newer or missing. DatabaseUnavailable: the server is away.
    """
    LIBRARY.require_current(engine)


def current_engine(*, pool_size: int = 5) -> Engine:
    """Make the engine of the database that the environment names, and check that its tables are those of this version.

    Raises:
        InvalidInput: a setting is not valid. NotMigrated: the tables are older, newer or missing.
        DatabaseUnavailable, DatabaseRefused: no connection.
    """
    engine = make_engine(DatabaseSettings(), pool_size=pool_size)
    require_current(engine)
    return engine


def _joined(revisions: tuple[str, ...]) -> str:
    return ", ".join(revisions) or "none"


def run_in_alembic() -> None:
    """Run the requested migrations; each package's `migrations/env.py`, which Alembic executes, calls this."""
    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
    with context.begin_transaction():
        context.run_migrations()
