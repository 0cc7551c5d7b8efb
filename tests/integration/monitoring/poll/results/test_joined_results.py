"""Results that the server joins into one text: what is read is what was written, to the last bit and character."""

import json
import random
import struct
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from math import isfinite

import pytest
from sqlalchemy import Connection, Engine, text

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import Bounds, Result, ResultKind, State, SubjectKind
from driftline.store.tables import results
from driftline.store.version_key import VersionKey
from monitoring.poll.results import joined_results
from monitoring.poll.results.revisions import LONGEST_REASON, LONGEST_SEGMENT, Provenance, Revision, RevisionStore

START = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = (0.0, 1.0, -1.0, 0.1, 1 / 3, 1e22, 123456789012345680.0, 2.2250738585072014e-308, 1.7976931348623157e308)
NAMES = (
    "usage",
    'a "quoted" name',
    "back\\slash",
    "line\nbreak",
    "tab\tand\x01",
    "Überstunden ☂",
    "x, {y}",
    "日" * 200,
)
KEY = VersionKey(1, 1)


def _doubles(count: int) -> list[float]:
    """Return doubles of random bits: of any size, with all their digits."""
    bits = random.Random(5)
    drawn = (struct.unpack("<d", bits.randbytes(8))[0] for _ in range(2 * count))
    return [number for number in drawn if isfinite(number) and abs(number) > 1e-300][:count]


def _results() -> list[Result]:
    numbers = [*NUMBERS, *_doubles(300)]
    written = [
        Result(NAMES[place % len(NAMES)], ResultKind.DRIFT, f"method_{place}", number, place, State.OK)
        for place, number in enumerate(numbers)
    ]
    every_field = Result(
        "model", ResultKind.REALIZED, "roc_auc", None, 7, State.INSUFFICIENT, Bounds(0.1, 0.2, 0.3, 0.4, 0.5), 0.6, 0.7,
        "☂" * LONGEST_REASON, 0.8, 'feature="' + '"' * (LONGEST_SEGMENT - 9),
    )  # fmt: skip
    return [*written, every_field]


def _written(connection: Connection, written: list[Result]) -> RevisionStore:
    """Store two chunks: all results, and one of them."""
    store = RevisionStore(KEY)
    provenance = Provenance(1, "0" * 64, "test", (), None)
    for day, of_day in enumerate((written, written[:1])):
        start = START + timedelta(days=day)
        chunk = Chunk(start, start + timedelta(days=1))
        store.write(connection, Revision(1, chunk, True, 10, 5, "0" * 64, provenance, start), of_day)
    return store


@pytest.mark.parametrize("complete", [joined_results.SAFE_TEXT_LENGTH, 50_000], ids=["by chunk", "by subject"])
def test_what_is_read_is_what_was_written(engine: Engine, monkeypatch: pytest.MonkeyPatch, complete: int) -> None:
    """A text that the server has cut off is read again in parts."""
    monkeypatch.setattr(joined_results, "SAFE_TEXT_LENGTH", complete)
    written = _results()
    with engine.connect() as connection:
        if complete == 50_000:
            connection.execute(text(f"SET SESSION group_concat_max_len = {4 * complete + 4}"))
        store = _written(connection, written)
        by_start = store.results_between(connection, START, START + timedelta(days=1))
        of_revision = store.results_of(connection, START, 1)
        objects_read = joined_results.read_objects(connection, [KEY.rows_of(results)])
        objects = [json.loads("{" + line) for _, lines in objects_read for line in lines]
        performance = store.results_between(connection, START, START, performance_only=True)
        connection.rollback()
    assert set(by_start[START]) == set(of_revision) == set(written)
    assert by_start[START + timedelta(days=1)] == (written[0],)
    assert performance == {START: (written[-1],)}
    assert len(objects) == len(written) + 1
    by_method = {result.method: result for result in written}
    for read in objects:
        assert _of_object(read) == by_method[read["method"]]


def _of_object(read: dict[str, object]) -> Result:
    bounds = Bounds(**{field.name: read.pop(field.name) for field in fields(Bounds)})  # type: ignore[arg-type]
    result = Result(**read, bounds=bounds)  # type: ignore[arg-type]
    kind, subject_kind = ResultKind(result.kind), SubjectKind(str(result.subject_kind))
    return replace(result, kind=kind, state=State(result.state), subject_kind=subject_kind)
