"""Schemas, users and rights on our own server; on a server given by the environment its administrator decides."""

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

ACCOUNTS = ("driftline_owner", "driftline_simulator", "driftline_jobs", "driftline_monitor")
SIMULATOR_WRITES = (
    tables.cdr,
    tables.daily_summary,
    tables.stream_runs,
    tables.labels,
    tables.ledger,
    tables.ledger_slots,
    tables.pending_batches,
    tables.pending_chunks,
)
SIMULATOR_READS = (tables.models.name, "alembic_version")


def create_schemas(site: Site) -> None:
    """Create the two schemas; on a given server only if its user may (else its administrator has to)."""
    try:
        _run(site, paths.STACK / "schemas.sql")
    except OperationalError as error:
        if site.database is None or error.args[0] != ER.DBACCESS_DENIED_ERROR:
            raise


def create_accounts(site: Site) -> None:
    """Create the users, their passwords those of the var folder."""
    _run(site, paths.STACK / "accounts.sql")


def grant(site: Site) -> None:
    """Give each user its rights; the tables exist."""
    _run(site, paths.STACK / "grants.sql")


def _run(site: Site, file: Path) -> None:
    passwords = {} if site.database else {account: site.credentials.password(account) for account in ACCOUNTS}
    with _administrator(site) as connection, connection.cursor() as cursor:
        for statement in statements(file, _identifiers(site)):
            cursor.execute(statement, passwords if "%(" in statement else None)


def _identifiers(site: Site) -> dict[str, tuple[str, ...]]:
    return {
        "database": (site.database_name,),
        "database_pattern": (schema_pattern(site.database_name),),
        "truth": (site.truth_name,),
        "truth_pattern": (schema_pattern(site.truth_name),),
        "simulator_writes": tuple(table.name for table in SIMULATOR_WRITES),
        "simulator_reads": SIMULATOR_READS,
        "renewed_views": (views.MODEL_PREDICTIONS,),
    }


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
