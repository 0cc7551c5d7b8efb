"""What each database user may do, on both servers: its work and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pytest
from pymysql.cursors import Cursor
from sqlalchemy import Engine

from driftline.store.connection import Connection
from driftline.store.tables import metadata
from stack.services.accounts import ACCOUNTS, Administration
from stack.testing.fixtures import DatabaseAddress

PASSWORD = "of every user here"
DENIED = {1044, 1045, 1142, 1143, 1227, 1370}
"""Error codes of missing rights."""
TRUTH = "injected_drift"
TRIED = {
    "S": "SELECT none_such FROM `x`",
    "I": "INSERT INTO `x` (none_such) VALUES (1)",
    "U": "UPDATE `x` SET none_such = 1",
    "D": "DELETE FROM `x` WHERE none_such = 1",
}
"""Statements that always fail; without the right, with one of the codes above."""
FORBIDDEN_TO_ALL = (
    "CREATE TABLE another (a INT)",
    "CREATE DATABASE another",
    "ALTER TABLE labels ADD COLUMN a INT",
    "DROP TABLE labels",
    "TRUNCATE TABLE labels",
    "SELECT * FROM mysql.user",
    "CREATE USER somebody",
    "GRANT SELECT ON labels TO driftline_monitor@localhost",
    "SET GLOBAL general_log = 1",
)


@pytest.fixture
def schema(churn_engine: Engine, database: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """A migrated schema with the churn model's tables and with all users."""
    server = Administration(lambda: _connected(database), database.name, password=lambda _: PASSWORD)
    server.create_accounts()
    server.grant()
    server.grant()
    yield database
    with _connected(database) as connection, connection.cursor() as cursor:
        for account in ACCOUNTS:
            cursor.execute("DROP USER %s@localhost", (account,))


def _connected(address: DatabaseAddress, user: str | None = None) -> Connection:
    password = PASSWORD if user else address.password
    return Connection(
        host=address.host, port=address.port, user=user or address.user, password=password, database=address.name,
        autocommit=True,
    )  # fmt: skip


@contextmanager
def _as(address: DatabaseAddress, role: str) -> Iterator[Cursor]:
    with _connected(address, f"driftline_{role}") as connection, connection.cursor() as cursor:
        yield cursor


def _is_denied(cursor: Cursor, statement: str) -> bool:
    try:
        cursor.execute(statement)
    except (pymysql.err.OperationalError, pymysql.err.ProgrammingError, pymysql.err.InternalError) as error:
        return error.args[0] in DENIED
    except pymysql.err.MySQLError:
        return False
    return False


def _letters(cursor: Cursor, table: str) -> str:
    """Return the first letters of what the user may do with the rows of a table."""
    return "".join(
        letter for letter, statement in TRIED.items() if not _is_denied(cursor, statement.replace("`x`", table))
    )


def _rights(address: DatabaseAddress, role: str) -> dict[str, str]:
    """Return what a user may do with each table of the schema and of the truth."""
    with _connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        names = [str(row[0]) for row in cursor.fetchall()]
    with _as(address, role) as cursor:
        rights = {name: _letters(cursor, name) for name in names}
        rights[TRUTH] = _letters(cursor, f"{address.name}_truth.{TRUTH}")
    return {name: may for name, may in rights.items() if may}


MAY = {
    "simulator": {
        "S": "alembic_version alembic_version_churn models",
        "SI": f"ledger ledger_slots {TRUTH}",
        "SIU": "DP_CDR_Data labels stream_runs",
        "SID": "DailySummary pending_batches",
    },
    "eda": {"S": "alembic_version alembic_version_churn DP_CDR_Data"},
    "jobs": {
        "S": "alembic_version alembic_version_churn DP_CDR_Data labels stream_runs chunk_revisions results verdicts"
        " removed_rows archive_objects ingest_log source_offsets watched_files pending_labels chunk_states"
        " poll_schedules poll_runs verdict_events pending_events incidents incident_events incident_comments"
        " incident_actions alert_deliveries sent_chunks",
        "SI": "ledger ledger_slots predictions batch_data spec_revisions churn_predictions role_changes",
        "SIU": "models model_versions pending_chunks retrainings",
        "SID": "Processed_Data Processed_Data_staging DailySummary pending_batches",
    },
    "serving": {"S": "alembic_version alembic_version_churn Processed_Data models model_versions spec_revisions"},
    "monitor": {
        "S": "alembic_version",
        "SIUD": " ".join(table.name for table in metadata.sorted_tables),
    },
}
"""Select, insert, update, delete, by user and table; other tables a user may not even see."""


def test_each_user_has_exactly_its_rights_on_rows(schema: DatabaseAddress) -> None:
    for role, tables_by_right in MAY.items():
        assert _rights(schema, role) == {
            table: right for right, names in tables_by_right.items() for table in names.split()
        }


def test_no_user_may_change_tables_or_users(schema: DatabaseAddress) -> None:
    for role in MAY:
        with _as(schema, role) as cursor:
            assert [statement for statement in FORBIDDEN_TO_ALL if not _is_denied(cursor, statement)] == [], role


def test_only_simulator_and_jobs_may_fill_the_summary(schema: DatabaseAddress) -> None:
    for role, may in (("simulator", True), ("jobs", True), ("monitor", False), ("eda", False)):
        with _as(schema, role) as cursor:
            assert _is_denied(cursor, "CALL GetDailyCDRDataBatch('2026-01-01')") is not may


def test_the_monitor_may_lock_rows_that_it_cannot_change(schema: DatabaseAddress) -> None:
    with _as(schema, "monitor") as cursor:
        cursor.execute("SELECT version FROM model_versions FOR UPDATE")
        cursor.execute("SELECT number FROM models LOCK IN SHARE MODE")


def test_rights_of_earlier_versions_are_revoked(schema: DatabaseAddress) -> None:
    with _connected(schema) as connection, connection.cursor() as cursor:
        pattern = schema.name.replace("_", r"\_")
        for role in ("jobs", "monitor"):
            cursor.execute(f"GRANT INSERT, UPDATE, DELETE, CREATE ON `{pattern}`.* TO driftline_{role}@localhost")
        cursor.execute("GRANT DELETE ON DP_CDR_Data TO driftline_simulator@localhost")
    Administration(lambda: _connected(schema), schema.name, password=lambda _: PASSWORD).grant()
    for role, may in (("jobs", "S"), ("monitor", ""), ("simulator", "SIU")):
        assert _rights(schema, role).get("DP_CDR_Data", "") == may
