"""Schemas, users and rights on our own server; on a server given by the environment its administrator decides."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import Cursor
from pymysql.err import OperationalError

from driftline import tables, views
from driftline.database import tls_context
from stack import paths, root_account
from stack.errors import StartFailed
from stack.services import root_password
from stack.site import Site
from stack.sqlfile import schema_pattern, statements

ACCOUNTS = ("driftline_owner", "driftline_simulator", "driftline_eda", "driftline_jobs", "driftline_monitor")
CHURN_STAGING, CHURN_PREDICTIONS = (
    table.format(tables.CHURN_NUMBER) for table in ("predictions_{}_staging", "predictions_{}")
)
RIGHTS_BY_TABLE: dict[str, tuple[str, ...]] = {
    "simulator_reads": ("models", "alembic_version"),
    "simulator_adds": ("ledger", "ledger_slots"),
    "simulator_changes": ("DP_CDR_Data", "labels", "stream_runs"),
    "simulator_replaces": ("DailySummary", "pending_batches"),
    "eda_reads": ("DP_CDR_Data", "alembic_version"),
    "jobs_add": ("ledger", "ledger_slots", "spec_revisions", "pending_batches"),
    "jobs_change": ("models", "model_versions", "pending_chunks"),
    "jobs_replace": ("Processed_Data", "Processed_Data_staging", "DailySummary"),
    "jobs_make": (CHURN_PREDICTIONS,),
    "jobs_make_and_empty": (CHURN_STAGING,),
    "jobs_renew": (views.MODEL_PREDICTIONS,),
    "monitor_writes": ("pending_chunks", "chunk_revisions", "results", "verdicts"),
    "monitor_settles": ("pending_batches",),
}
"""Tables by what a user may do with them, named as in grants.sql; each may read what it may write."""

SCHEMAS, USERS, RIGHTS = (paths.STACK / f"{name}.sql" for name in ("schemas", "accounts", "grants"))


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
    password = given.password.get_secret_value()
    try:
        return pymysql.connect(
            host=given.host,
            port=given.port,
            user=given.user,
            password=password,
            autocommit=True,
            ssl=tls_context(given),
        )
    except OperationalError as error:
        denied = error.args[0] == ER.ACCESS_DENIED_ERROR
        why = "refuses DB_USER and DB_PASSWORD" if denied else "cannot be reached: check DB_HOST and DB_PORT"
        raise StartFailed(f"The given server, {given.host}:{given.port}, {why}. It said: {error.args[1]}") from error
