"""Schemas, users and rights on our own server; on a server given by the environment its administrator decides."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import Cursor
from pymysql.err import OperationalError
from sqlalchemy import Table

from churn import views
from driftline.settings import DatabaseSettings
from driftline.store import tables
from driftline.store.database import tls_context
from stack.errors import StartFailed
from stack.servers import root_account
from stack.services.site import Site
from stack.services.sqlfile import schema_pattern, statements
from stack.services.table import root_password

ACCOUNTS = ("driftline_owner", "driftline_simulator", "driftline_eda", "driftline_jobs", "driftline_monitor")
CHURN_PREDICTIONS = tables.predictions_name(tables.CHURN_NUMBER)
CHURN_STAGING = tables.predictions_staging_name(tables.CHURN_NUMBER)
MIGRATION = "alembic_version"


def _names(*own: Table) -> tuple[str, ...]:
    return tuple(table.name for table in own)


RIGHTS_BY_TABLE: dict[str, tuple[str, ...]] = {
    "simulator_reads": (*_names(tables.models), MIGRATION),
    "simulator_adds": _names(tables.ledger, tables.ledger_slots),
    "simulator_changes": _names(tables.cdr, tables.labels, tables.stream_runs),
    "simulator_replaces": _names(tables.daily_summary, tables.pending_batches),
    "eda_reads": (*_names(tables.cdr), MIGRATION),
    "jobs_add": _names(tables.ledger, tables.ledger_slots, tables.spec_revisions, tables.pending_batches),
    "jobs_change": _names(tables.models, tables.model_versions, tables.pending_chunks),
    "jobs_replace": _names(tables.processed, tables.processed_staging, tables.daily_summary),
    "jobs_make": (CHURN_PREDICTIONS,),
    "jobs_make_and_empty": (CHURN_STAGING,),
    "jobs_renew": (views.MODEL_PREDICTIONS,),
    "monitor_writes": _names(tables.pending_chunks, tables.chunk_revisions, tables.results, tables.verdicts),
    "monitor_settles": _names(tables.pending_batches),
}
"""Tables by what a user may do with them, named as in grants.sql; each may read what it may write."""

SCHEMAS, USERS, RIGHTS = (Path(__file__).with_name(f"{name}.sql") for name in ("schemas", "accounts", "grants"))


@dataclass(frozen=True)
class Administration:
    """How to administer a server: who connects, the schema, and the users: their passwords, from where they come.

    `clients` is a host as in `user@host`; without `password` no user is made.
    """

    connect: "Callable[[], Connection[Cursor]]"
    database_name: str
    clients: str = "localhost"
    password: Callable[[str], str] | None = None

    def run(self, file: Path) -> None:
        """Run one of the named files."""
        values = {account: self.password(account) for account in ACCOUNTS} if self.password else {}
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements(file, self._identifiers()):
                cursor.execute(statement, values | {"clients": self.clients} if "%(" in statement else None)

    def _identifiers(self) -> dict[str, tuple[str, ...]]:
        truth = f"{self.database_name}_truth"
        return {
            "database": (self.database_name,),
            "database_pattern": (schema_pattern(self.database_name),),
            "truth": (truth,),
            "truth_pattern": (schema_pattern(truth),),
            **RIGHTS_BY_TABLE,
        }


def create_schemas(site: Site) -> None:
    """Create the two schemas; on a given server only if its user may (else its administrator has to)."""
    try:
        _of(site).run(SCHEMAS)
    except OperationalError as error:
        if site.database is None or error.args[0] != ER.DBACCESS_DENIED_ERROR:
            raise


def create_accounts(site: Site) -> None:
    """Create the users, their passwords those of the var folder."""
    _of(site).run(USERS)


def grant(site: Site) -> None:
    """Give each user its rights; the tables exist."""
    _of(site).run(RIGHTS)


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
