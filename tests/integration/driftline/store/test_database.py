"""Drivers' errors are translated once, with their cure."""

from datetime import UTC, datetime
from typing import Any

import pymysql.connections
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, func, select

from driftline.errors import DatabaseBusy, DatabaseRefused, DatabaseUnavailable
from driftline.settings import DatabaseSettings
from driftline.store import bulk, database
from driftline.store.database import in_transaction, make_engine, translated
from driftline.store.model_numbers import ensure_model
from driftline.store.tables import models
from tests.reachable_database import is_reachable


@pytest.mark.parametrize("wrong", [{"password": SecretStr("wrong")}, {"user": "nobody"}, {"name": "nothing_there"}])
def test_a_wrong_user_password_or_schema_is_refused(
    database_settings: DatabaseSettings, wrong: dict[str, str | SecretStr]
) -> None:
    with pytest.raises(DatabaseRefused, match="check DB_USER, DB_PASSWORD and DB_NAME"):
        is_reachable(make_engine(database_settings.model_copy(update=wrong)))


def test_a_connection_lost_while_sending_is_unavailable(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    driver: Any = pymysql.connections
    send = driver._send_local_file

    def send_after_the_kill(filename: str, sender: Any) -> None:
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL CONNECTION {sender.thread_id()}")
        send(filename, sender)

    monkeypatch.setattr(driver, "_send_local_file", send_after_the_kill)
    columns = ("number", "name", "created_at")
    payload = b'1,"m",2026-01-01 00:00:00.000000\n' * 200_000
    with pytest.raises(DatabaseUnavailable):
        in_transaction(engine, lambda connection: bulk.load(connection, models, columns, payload))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(models)).scalar_one() == 0


MANY_ROWS = """
WITH RECURSIVE numbers AS (SELECT 1 AS number UNION ALL SELECT number + 1 FROM numbers WHERE number < 900)
SELECT REPEAT('x', 100) FROM numbers, numbers AS others
"""


def test_a_connection_lost_while_streaming_is_unavailable(engine: Engine) -> None:
    with pytest.raises(DatabaseUnavailable), translated(), engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        streaming = connection.execution_options(stream_results=True, max_row_buffer=1_000)
        with streaming.exec_driver_sql(MANY_ROWS) as rows:
            rows.fetchmany(1_000)
            with engine.connect() as other:
                other.exec_driver_sql(f"KILL CONNECTION {number}")
            rows.fetchall()


def test_locks_that_stay_held_are_reported_as_a_busy_database(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ATTEMPTS", 3)  # each waits a second, the shortest that both servers know
    waits = []

    def wait_briefly(connection: Connection) -> None:
        waits.append(connection)
        connection.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 1")
        connection.execute(select(models).with_for_update())

    in_transaction(engine, lambda connection: ensure_model(connection, "flights", datetime(2026, 1, 1, tzinfo=UTC)))
    with engine.begin() as holder:
        holder.execute(select(models).with_for_update())
        with pytest.raises(DatabaseBusy, match=r"^Other transactions lock the required rows"):
            in_transaction(engine, wait_briefly)
    assert len(waits) == 3
