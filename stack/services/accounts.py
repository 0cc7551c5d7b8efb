"""Schemas, users and rights on our own server; on a server given by the environment its administrator decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import Cursor
from pymysql.err import OperationalError
from sqlalchemy import Table

from churn import rights
from churn.columns import CHURN_MODEL
from churn.migrate import EXAMPLE
from driftline.settings import DatabaseSettings
from driftline.store import tables
from driftline.store.database import tls_context
from driftline.store.migrate import LIBRARY
from stack.errors import StartFailed
from stack.servers import root_account
from stack.services.site import Site
from stack.services.sqlfile import schema_pattern, statements
from stack.services.table import root_password

ACCOUNTS = ("driftline_owner", "driftline_simulator", "driftline_eda", "driftline_jobs", "driftline_monitor")


def _names(*library_tables: Table) -> tuple[str, ...]:
    return tuple(table.name for table in library_tables)


LIBRARY_RIGHTS: dict[str, tuple[str, ...]] = {
    "simulator_reads": (*_names(tables.models), LIBRARY.version_table),
    "simulator_adds": _names(tables.ledger, tables.ledger_slots),
    "simulator_changes": _names(tables.labels),
    "simulator_replaces": _names(tables.pending_batches),
    "eda_reads": (LIBRARY.version_table,),
    "jobs_add": _names(tables.ledger, tables.ledger_slots, tables.spec_revisions, tables.pending_batches),
    "jobs_change": _names(tables.models, tables.model_versions, tables.pending_chunks),
    "monitor_writes": _names(tables.pending_chunks, tables.chunk_revisions, tables.results, tables.verdicts),
    "monitor_settles": _names(tables.pending_batches),
}
"""Tables by what a user may do with them, named as in grants.sql; each may read what it may write."""

SCHEMAS, USERS, GRANTS, MODEL_NUMBER = (
    Path(__file__).with_name(f"{name}.sql") for name in ("schemas", "accounts", "grants", "model_number")
)


@dataclass(frozen=True)
class Administration:
    """How to administer a server: who connects, the schema, and the users: their passwords, from where they come.

    `clients` is a host as in `user@host`; without `password` no user is made.
    """

    connect: "Callable[[], Connection[Cursor]]"
    database_name: str
    clients: str = "localhost"
    password: Callable[[str], str] | None = None

    def create_schemas(self) -> None:
        """Create the schemas that do not exist."""
        self._run(SCHEMAS)

    def create_users(self) -> None:
        """Create the users that do not exist, and set their passwords."""
        values = {account: self.password(account) for account in ACCOUNTS} if self.password else {}
        self._run(USERS, values)

    def grant(self) -> None:
        """Grant each user its rights; the tables exist.

        Raises:
            StartFailed: the example's tables do not exist.
        """
        self._run(GRANTS, names=_rights(self._churn_number()))

    def _churn_number(self) -> int:
        row = self._run(MODEL_NUMBER, {"name": CHURN_MODEL})
        if row is None:
            raise StartFailed(f"The example's tables are not complete; run `{EXAMPLE.upgrade_command}`.")
        return int(row[0])

    def _run(
        self,
        file: Path,
        values: Mapping[str, str] | None = None,
        names: Mapping[str, tuple[str, ...]] | None = None,
    ) -> tuple[Any, ...] | None:
        """Execute one of the named files; return the first row of its last statement, if there is one."""
        bound = {"clients": self.clients, **(values or {})}
        row = None
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements(file, {**self._identifiers(), **(names or {})}):
                cursor.execute(statement, bound if "%(" in statement else None)
                row = cursor.fetchone() if cursor.description else None
        return row

    def _identifiers(self) -> dict[str, tuple[str, ...]]:
        truth = f"{self.database_name}_truth"
        return {
            "database": (self.database_name,),
            "database_pattern": (schema_pattern(self.database_name),),
            "truth": (truth,),
            "truth_pattern": (schema_pattern(truth),),
        }


def _rights(churn_number: int) -> dict[str, tuple[str, ...]]:
    """Return the tables of the library and of the example by what a user may do with them."""
    parts = (LIBRARY_RIGHTS, rights.RIGHTS, rights.model_rights(churn_number))
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: tuple(name for part in parts for name in part.get(key, ())) for key in keys}


def create_schemas(site: Site) -> None:
    """Create the two schemas; on a given server only if its user may (else its administrator has to)."""
    try:
        _of(site).create_schemas()
    except OperationalError as error:
        if site.database is None or error.args[0] != ER.DBACCESS_DENIED_ERROR:
            raise


def create_accounts(site: Site) -> None:
    """Create the users, their passwords those of the var folder."""
    _of(site).create_users()


def grant(site: Site) -> None:
    """Give each user its rights; the tables exist."""
    _of(site).grant()


def _of(site: Site) -> Administration:
    password = None if site.database else site.credentials.password
    return Administration(lambda: _administrator(site), site.database_name, password=password)


def _administrator(site: Site) -> "Connection[Cursor]":
    if site.database is None:
        return root_account.connect(site.ports["mariadb"], root_password(site))
    given = site.database
    try:
        return connected(given)
    except OperationalError as error:
        denied = error.args[0] == ER.ACCESS_DENIED_ERROR
        why = "refuses DB_USER and DB_PASSWORD" if denied else "cannot be reached: check DB_HOST and DB_PORT"
        raise StartFailed(f"The given server, {given.host}:{given.port}, {why}. It said: {error.args[1]}") from error


def connected(settings: DatabaseSettings) -> "Connection[Cursor]":
    """Connect as the user of the settings; every statement is its own transaction."""
    return pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        autocommit=True,
        ssl=tls_context(settings),
    )
