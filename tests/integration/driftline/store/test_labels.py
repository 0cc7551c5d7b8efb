"""Labels: new ones are loaded at once, those that are there stay or become revisions, in whatever mixture they come."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DataError

from driftline.store import labels
from driftline.store.database import in_transaction
from driftline.store.tables import labels as table
from driftline.store.tables import ledger

DAY = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[str, int, datetime, int, str]
"""Id, value, known at, revision, id of the batch that wrote the value."""


def _write(engine: Engine, batch_id: str, frame: pd.DataFrame) -> int | None:
    return in_transaction(engine, lambda connection: labels.write_batch(connection, batch_id, 1, frame, DAY))


def _frame(values: dict[str, int], day: int) -> pd.DataFrame:
    known_at = pd.Timestamp(DAY + timedelta(days=day))
    return pd.DataFrame({"id": list(values), "value": list(values.values()), "known_at": known_at})


def _stored(engine: Engine) -> list[Row]:
    columns = table.c.id, table.c.value, table.c.known_at, table.c.revision, ledger.c.batch_id
    statement = select(*columns).join(ledger, ledger.c.number == table.c.batch_number).order_by(table.c.id)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def _merged(rows: dict[str, Row], batch_id: str, values: dict[str, int], day: int) -> None:
    """Do to rows what a batch is to do to the table."""
    known_at = (DAY + timedelta(days=day)).replace(tzinfo=None)
    for name, value in values.items():
        _, before, _, revision, _ = rows.get(name, (name, None, None, 0, ""))
        if value != before:
            rows[name] = (name, value, known_at, revision + 1, batch_id)


@pytest.mark.parametrize("seed", range(3))
def test_any_mixture_of_new_same_and_changed_labels_does_what_each_alone_would(engine: Engine, seed: int) -> None:
    draw, rows = np.random.default_rng(seed), dict[str, Row]()
    for day in range(6):
        names = draw.choice(20, size=int(draw.integers(1, 12)), replace=False)
        values = {f"2026-01-01/{name:02}": int(draw.integers(2)) for name in names}
        for _ in range(2):
            _write(engine, f"l/{day}", _frame(values, day))
        _merged(rows, f"l/{day}", values, day)
        assert _stored(engine) == sorted(rows.values())


def test_ids_of_any_text_arrive_as_they_are(engine: Engine) -> None:
    values = {"b\rc": 1, "a,b": 0, 'say "x"': 1, "NULL": 0, "é": 1, "z\r": 0, "back\\slash": 1}
    _write(engine, "l/1", _frame(values, 1))
    assert {name: value for name, value, *_ in _stored(engine)} == values


def test_a_batch_with_an_id_that_is_too_long_writes_nothing(engine: Engine) -> None:
    with pytest.raises(DataError):
        _write(engine, "l/1", _frame({"2026-01-01/1": 1, "x" * 129: 0}, 1))
    assert _stored(engine) == []
    assert _write(engine, "l/1", _frame({"2026-01-01/1": 1}, 1)) is not None


def test_writers_of_the_same_new_labels_wait_for_one_another(engine: Engine) -> None:
    """The second waits for the first, then finds the labels there and leaves them."""
    values = {f"2026-01-01/{n:03}": n % 2 for n in range(300)}
    backwards = dict(reversed(values.items()))
    writers = [
        threading.Thread(target=_write, args=(engine, f"l/{n}", _frame(backwards if n % 2 else values, 1)))
        for n in range(6)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    stored = _stored(engine)
    assert {name: value for name, value, *_ in stored} == values
    assert {row[3] for row in stored} == {1}
    assert len({row[4] for row in stored}) == 1
    with engine.connect() as connection:
        assert len(connection.execute(select(ledger.c.number)).all()) == len(writers)
