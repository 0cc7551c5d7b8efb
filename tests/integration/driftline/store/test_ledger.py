"""The ledger's laws on real servers: a batch once, whatever is sent twice, at once, or rolled back."""

import threading
from datetime import UTC, datetime

import pandas as pd
import pytest
from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, SmallInteger, Table, func, insert, select

from driftline.errors import BatchConflict, InvalidInput
from driftline.store import bulk, ledger
from driftline.store.database import in_transaction
from driftline.store.tables import batch_number, ledger_slots, name_type, pending_batches
from driftline.store.tables import ledger as ledger_table
from driftline.store.version_key import VersionKey

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
COLUMNS = ("id", "usage", "note")
OTHER = "archive"
"""A consumer that is not one of the library's."""

rows_table = Table(
    "test_rows",
    MetaData(),
    Column("id", name_type(20), primary_key=True),
    Column("usage", BigInteger),
    Column("note", SmallInteger),
    batch_number(),
)


@pytest.fixture(autouse=True)
def _rows_table(engine: Engine) -> None:
    rows_table.create(engine)


def records(count: int, first: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"run:{n}" for n in range(first, first + count)],
            "usage": pd.array([None if n % 3 == 0 else n for n in range(first, first + count)], dtype="Int64"),
            "note": pd.array([None] * count, dtype="Int64"),
        }
    )


def write(engine: Engine, batch_id: str, frame: pd.DataFrame) -> int | None:
    payload = bulk.encode(frame, COLUMNS)
    batch = ledger.Batch(batch_id, "rows", ledger.content_hash(payload), len(frame), NOW)

    def work(connection: Connection) -> int | None:
        number = ledger.open_batch(connection, batch, [OTHER])
        if number is not None:
            bulk.load(connection, rows_table, COLUMNS, payload, {"batch_number": number})
        return number

    return in_transaction(engine, work)


def counts(engine: Engine) -> tuple[int, ...]:
    with engine.connect() as connection:
        tables = (rows_table, ledger_table, pending_batches)
        return tuple(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def test_the_same_batch_again_changes_nothing(engine: Engine) -> None:
    assert write(engine, "a/1", records(10)) is not None
    assert write(engine, "a/1", records(10)) is None
    assert counts(engine) == (10, 1, 1)


def test_null_stays_null_and_zero_stays_zero(engine: Engine) -> None:
    write(engine, "a/1", records(4))
    with engine.connect() as connection:
        stored = connection.execute(select(rows_table.c.usage).order_by(rows_table.c.id)).scalars().all()
    assert stored == [None, 1, 2, None]


def test_the_same_id_with_other_content_is_refused(engine: Engine) -> None:
    write(engine, "a/1", records(10))
    with pytest.raises(BatchConflict, match="a/1"):
        write(engine, "a/1", records(11))
    assert counts(engine) == (10, 1, 1)


def test_a_row_that_is_there_already_rolls_the_whole_batch_back(engine: Engine) -> None:
    write(engine, "a/1", records(10))
    with pytest.raises(InvalidInput, match="accepted only 5 of 10 rows of test_rows unchanged"):
        write(engine, "a/2", records(10, first=5))
    assert counts(engine) == (10, 1, 1)


def test_a_bad_value_rolls_the_whole_batch_back(engine: Engine) -> None:
    frame = records(3).astype({"id": "string"})
    frame.loc[1, "id"] = "8" * 21
    with pytest.raises(InvalidInput, match="rolled back"):
        write(engine, "a/1", frame)
    assert counts(engine) == (0, 0, 0)


def test_many_writers_of_one_batch_write_it_once(engine: Engine) -> None:
    written: list[int | None] = []
    threads = [threading.Thread(target=lambda: written.append(write(engine, "a/1", records(500)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(number is not None for number in written) == 1
    assert counts(engine) == (500, 1, 1)


def test_consumers_share_the_work_and_lose_none(engine: Engine) -> None:
    for n in range(3):
        write(engine, f"a/{n}", records(1, first=n))
    with engine.begin() as own_connection, engine.begin() as second_connection:
        first, second = ledger.claim(own_connection, OTHER), ledger.claim(second_connection, OTHER)
        assert first is not None
        assert second is not None
        assert first["batch_id"] != second["batch_id"]
        ledger.settle(own_connection, OTHER, first["number"])
        second_connection.rollback()
    assert counts(engine) == (3, 3, 2)


@pytest.mark.parametrize(("mine", "others"), [(1, 1), (2, 1), (2, 3), (9, 10), (20, 2)])
def test_to_settle_waits_for_no_other_consumer(engine: Engine, mine: int, others: int) -> None:
    """Few rows or many, they are found by their keys: a scan would stop at one that another has locked."""
    numbers = range(1, mine + others + 1)
    rows = [{"consumer": OTHER, "batch_number": number} for number in numbers]
    with engine.begin() as connection:
        connection.execute(insert(ledger_table), [_ledger_row(number) for number in numbers])
        connection.execute(insert(pending_batches), rows)
    with engine.begin() as first, engine.begin() as second:
        claimed = ledger.claim_all(first, OTHER, mine)
        assert [batch["number"] for batch in claimed] == list(numbers[:mine])
        assert len(ledger.claim_all(second, OTHER, 100)) == others
        first.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 1")
        ledger.settle(first, OTHER, *numbers[:mine])
    assert counts(engine)[2] == others


def _ledger_row(number: int) -> dict[str, object]:
    return {
        "number": number,
        "batch_id": f"a/{number}",
        "kind": "rows",
        "content_hash": "",
        "rows_written": 0,
        "written_at": datetime(2026, 1, 31),  # noqa: DTZ001 - as stored
    }


def test_places_are_quarters_of_an_hour_each_once(engine: Engine) -> None:
    times = pd.to_datetime(["2026-01-01 00:07:00", "2026-01-01 00:14:59", "2026-01-01 00:15:00"], utc=True)
    with engine.begin() as connection:
        ledger.touch_added(connection, 7, VersionKey(2, 1), times)
        ledger.touch_added(connection, 7, VersionKey(2, 1), times[:1])
    with engine.connect() as connection:
        slots = connection.execute(select(ledger_slots.c.slot).order_by(ledger_slots.c.slot)).scalars().all()
    assert [slot.isoformat() for slot in slots] == ["2026-01-01T00:00:00", "2026-01-01T00:15:00"]
