"""Labels: new ones are loaded at once, those that are there stay or become revisions, in whatever mixture they come."""

import itertools
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DataError

from driftline.engine.catalogue import Problem
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.predictions import PredictionStore
from driftline.store.rows.reading import chunk_rows
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.tables import labels as table
from driftline.store.tables import ledger
from driftline.store.version_key import VersionKey

DAY = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[str, int, datetime, int, str]
"""Id, value, known at, revision, id of the batch that wrote the value."""


def _write(engine: Engine, batch_id: str, frame: pd.DataFrame) -> int | None:
    return in_transaction(engine, lambda connection: labels.write_batch(connection, batch_id, 1, frame, DAY))


def _write_kind(engine: Engine, batch_id: str, values: dict[str, Any], problem: Problem, day: int = 1) -> int | None:
    return _write_frame(engine, batch_id, _frame(values, day), problem)


def _write_frame(engine: Engine, batch_id: str, frame: pd.DataFrame, problem: Problem) -> int | None:
    return in_transaction(engine, lambda c: labels.write_batch(c, batch_id, 1, frame, DAY, problem=problem))


def _values(engine: Engine, problem: Problem) -> dict[str, tuple[Any, int]]:
    with engine.connect() as connection:
        rows = connection.execute(select(table.c.id, labels.value_column(problem), table.c.revision))
        return {name: (value, revision) for name, value, revision in rows}


def _frame(values: dict[str, Any], day: int) -> pd.DataFrame:
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
        if name not in rows:
            rows[name] = (name, value, known_at, 1, batch_id)
            continue
        _, before, known_before, revision, batch_before = rows[name]
        if value != before and (known_at, value) > (known_before, before):
            rows[name] = (name, value, known_at, revision + 1, batch_id)
        else:
            rows[name] = (name, before, max(known_at, known_before), revision, batch_before)


@pytest.mark.parametrize("seed", range(3))
def test_mixed_labels_are_written_as_each_would_be_alone(engine: Engine, seed: int) -> None:
    draw, rows = np.random.default_rng(seed), dict[str, Row]()
    for number in range(8):
        day = int(draw.integers(4))
        names = draw.choice(20, size=int(draw.integers(1, 12)), replace=False)
        values = {f"2026-01-01/{name:02}": int(draw.integers(2)) for name in names}
        for _ in range(2):
            _write(engine, f"l/{number}", _frame(values, day))
        _merged(rows, f"l/{number}", values, day)
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


NUMBERS = {"a": 0.1, "b": -0.0, "c": 5e-324, "d": 1.7976931348623157e308, "e": 1 / 3, "f": -2.5e-11, "g": 123456789.0}
CLASSES = {
    "a": "gold",
    "b": 'say "x", y',
    "c": "NULL",
    "d": "größe \U0001f600",
    "e": " x ",
    "f": "back\\slash",
    "g": "1",
}


@pytest.mark.parametrize("first_of_two", [True, False], ids=["loaded", "merged"])
@pytest.mark.parametrize(
    ("problem", "values"),
    [(Problem.REGRESSION, NUMBERS), (Problem.MULTICLASS, CLASSES)],
    ids=lambda part: str(part)[:9],
)
def test_numbers_and_classes_arrive_to_the_bit(
    engine: Engine, problem: Problem, values: dict[str, Any], first_of_two: bool
) -> None:
    if not first_of_two:
        _write_kind(engine, "l/0", {"a": values["a"]}, problem)
    _write_kind(engine, "l/1", values, problem)
    assert _values(engine, problem) == {name: (value, 1) for name, value in values.items()}


@pytest.mark.parametrize(
    ("problem", "values"), [(Problem.REGRESSION, NUMBERS), (Problem.MULTICLASS, CLASSES)], ids=["numbers", "classes"]
)
def test_labels_are_read_with_their_predictions_to_the_bit(
    engine: Engine, problem: Problem, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_rows, "JOINED_LABELS", 3)
    scored = pd.DataFrame({"id": [*values, "unlabelled"], "prediction": 1, "probability_1": 0.5}).assign(
        event_time=pd.Timestamp(DAY), scored_at=pd.Timestamp(DAY), model_version=1, x=1.0
    )
    spec = Spec(columns=(ColumnSpec(name="x"),))
    in_transaction(engine, lambda connection: PredictionStore(1, spec).write(connection, "p/1", scored, DAY))
    _write_kind(engine, "l/1", values, problem)
    chunk = Chunk(DAY, DAY + timedelta(days=1))
    with engine.connect() as connection:
        predictions = ChunkReader(connection, VersionKey(1, 1), spec, chunk)
        of_problem = ChunkReader(connection, VersionKey(1, 1), spec.model_copy(update={"problem": problem}), chunk)
        portion = predictions.portion()
        read = of_problem.with_labels(predictions.read(portion), portion).set_index("id")
    known = read["label"].to_dict()
    assert pd.isna(known.pop("unlabelled"))
    assert {name: repr(value) for name, value in known.items()} == {name: repr(each) for name, each in values.items()}
    assert read["label_known_at"].dropna().unique().tolist() == [pd.Timestamp("2026-01-02")]


@pytest.mark.parametrize(
    ("problem", "before", "after"),
    [(Problem.REGRESSION, 0.1, 0.1 + 2**-56), (Problem.MULTICLASS, "a", "a "), (Problem.MULTICLASS, "a", "A")],
)
def test_another_value_is_a_revision_however_near_it_is(
    engine: Engine, problem: Problem, before: Any, after: Any
) -> None:
    _write_kind(engine, "l/1", {"a": before, "b": before}, problem)
    _write_kind(engine, "l/2", {"a": after, "b": before}, problem, day=2)
    assert _values(engine, problem) == {"a": (after, 2), "b": (before, 1)}


@pytest.mark.parametrize(
    ("problem", "contents"),
    [
        (Problem.BINARY, [0, 1, 1]),
        (Problem.REGRESSION, [0.1, 0.1 + 2**-56, -3.5]),
        (Problem.MULTICLASS, ["a", "a ", "Z"]),
    ],
    ids=lambda part: str(part)[:9],
)
def test_any_order_of_arrival_ends_in_the_newest_largest_label(
    engine: Engine, problem: Problem, contents: list[Any]
) -> None:
    sent = [(contents[0], 3), (contents[1], 3), (contents[2], 2), (contents[1], 1), (contents[0], 0)]
    orders = {f"{place:03}": order for place, order in enumerate(itertools.permutations(sent))}
    for number in range(len(sent)):
        frame = _frame({name: order[number][0] for name, order in orders.items()}, 0)
        frame["known_at"] += pd.to_timedelta([order[number][1] for order in orders.values()], "D")
        _write_frame(engine, f"l/{number}", frame, problem)
    stored = {name: value for name, (value, _) in _values(engine, problem).items()}
    assert stored == dict.fromkeys(orders, contents[1])
    assert {row[2] for row in _stored(engine)} == {(DAY + timedelta(days=3)).replace(tzinfo=None)}


@pytest.mark.parametrize(
    ("problem", "values", "message"),
    [
        (Problem.BINARY, {"a": 1, "b": 2}, r"1 labels are not 0 or 1, first 2 \(row 2\)"),
        (Problem.REGRESSION, {"a": 1.0, "b": float("inf")}, r"not finite numbers, first inf \(row 2\)"),
        (Problem.REGRESSION, {"a": None, "b": 1.0}, "not finite numbers, first nan"),
        (Problem.MULTICLASS, {"a": "x", "b": ""}, r"not classes, .* first '' \(row 2\)"),
        (Problem.MULTICLASS, {"a": "x\ny", "b": "y"}, "not classes"),
        (Problem.MULTICLASS, {"a": "x" * 256, "b": "y"}, "1 to 255 characters"),
        (Problem.MULTICLASS, {"a": 1, "b": "y"}, r"not classes, .* first 1 \(row 1\)"),
    ],
)
def test_a_value_that_is_no_label_of_the_problem_is_refused_by_row(
    engine: Engine, problem: Problem, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        _write_kind(engine, "l/1", values, problem)
    assert re.search(message, refused.value.details[0])
    assert _values(engine, problem) == {}
