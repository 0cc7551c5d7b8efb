"""Create and upgrade database tables: the only code that changes tables.

Every program checks at its start that the tables are current, and few change them: those import Alembic, which takes
0.3 s of processor time.
"""

from dataclasses import dataclass
from importlib.resources import files

from sqlalchemy import Connection, Engine, String, column, inspect, select, table

from driftline.errors import NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine, translated


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one package, independent of those of any other package in the same database.

    `package` has a folder `migrations` with Alembic's `env.py` and `versions/`; `version_table` records which of them
    have run; `upgrade_command` is what a user runs to apply them. A revision is `prefix` and the number that starts the
    name of its file.
    """

    package: str
    version_table: str
    upgrade_command: str
    prefix: str = ""

    def upgrade(self, engine: Engine) -> None:
        """Run every migration that is missing; a second run changes nothing. Needs the owner's rights."""
        from alembic import command  # noqa: PLC0415  (see the module)
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(files(self.package) / "migrations"))
        with translated(), engine.begin() as connection:
            config.attributes.update(connection=connection, version_table=self.version_table)
            command.upgrade(config, "head")

    def require_current(self, engine: Engine) -> None:
        """Check that the tables are those of this version.

        Raises:
            NotMigrated: they are older, newer or missing. DatabaseUnavailable: the server is away.
        """
        with translated(), engine.connect() as connection:
            present = self._revisions(connection)
        if present != [self.newest()]:
            raise NotMigrated(
                f"The database's tables are at version {', '.join(present) or 'none'}, and this program needs "
                f"{self.newest()}; run `{self.upgrade_command}`."
            )

    def newest(self) -> str:
        """Return the newest revision."""
        versions = files(self.package) / "migrations" / "versions"
        names = [file.name for file in versions.iterdir() if file.name.endswith(".py")]
        return self.prefix + max(names).partition("_")[0]

    def _revisions(self, connection: Connection) -> list[str]:
        if not inspect(connection).has_table(self.version_table):
            return []
        revision = column("version_num", String())
        return sorted(connection.scalars(select(revision).select_from(table(self.version_table, revision))))


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


def run_in_alembic() -> None:
    """Run the requested migrations; each package's `migrations/env.py`, which Alembic executes, calls this."""
    from alembic import context  # noqa: PLC0415  (see the module)

    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
    with context.begin_transaction():
        context.run_migrations()
