"""Of stored rows only the blobs that are needed are read, and only a few of them at a time."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Engine, event

from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.encoding import columnar
from driftline.store.rows.predictions import PredictionStore
from driftline.store.rows.reading import stored_rows
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.rows.reading.stored_rows import StoredRows
from driftline.store.tables import batch_data
from driftline.store.version_key import VersionKey
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.store.test_predictions import DAY, NOW, SPEC, scored

SEGMENTED = SPEC.model_copy(update={"segments": ("plan",)})
HOURS = 40


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def store(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> PredictionStore:
    """A store with one batch of rows of forty hours, in blobs of a few rows, and a label for each row."""
    monkeypatch.setattr(columnar, "cut", partial(columnar.cut, most_bytes=300))
    store = PredictionStore(2, SPEC)
    frame = scored(HOURS)
    frame["event_time"] += pd.to_timedelta(range(HOURS), unit="h")
    label_rows = pd.DataFrame({"id": frame["id"], "value": frame["prediction"], "known_at": NOW})
    in_transaction(engine, lambda connection: store.write(connection, "p/1", frame, NOW))
    in_transaction(engine, lambda connection: labels.write_batch(connection, "l/1", 2, label_rows, NOW))
    return store


def rows_read(connection: Any, spec: Spec, chunk: Chunk) -> pd.DataFrame:
    rows = ChunkReader(connection, VersionKey(2, 1), spec, chunk)
    portion = rows.portion()
    return rows.with_labels(rows.read(portion, features=spec.segments), portion)


def test_rows_at_some_places_come_in_their_order(
    engine: Engine, store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "VALUES_AT_ONCE", 1)
    decoded: list[int] = []
    decode = columnar.decode

    def counting(data: bytes, names: Collection[str] | None) -> pa.Table:
        decoded.append(len(data))
        return decode(data, names)

    monkeypatch.setattr(columnar, "decode", counting)
    ids = [f"2026-01-01/{n}" for n in (30, 2, 31, 7)]
    with engine.connect() as connection:
        places = store.writer.places_of(connection, ids).set_index("id").loc[ids].reset_index()
        rows = StoredRows(connection, store.schema).at(places, list)
        blobs = connection.execute(batch_data.select()).all()
    assert rows.column("id").to_pylist() == ids
    assert rows.column("minutes").to_pylist() == [30 / 3, 2 / 3, 31 / 3, 7 / 3]
    assert 0 < len(decoded) <= 2 * len(ids) < len(blobs)


def test_a_place_without_a_row_is_an_error(engine: Engine, store: PredictionStore) -> None:
    with engine.connect() as connection, pytest.raises(columnar.DamagedBatch):
        places = store.writer.places_of(connection, ["2026-01-01/3"]).assign(batch_position=HOURS)
        StoredRows(connection, store.schema).at(places, list)


def test_labels_of_other_chunks_are_not_read(engine: Engine, store: PredictionStore) -> None:
    fetched: list[int] = []
    with engine.connect() as connection:
        event.listen(engine, "after_cursor_execute", lambda *call: fetched.append(call[1].rowcount))
        frame = rows_read(connection, SPEC, Chunk(DAY, DAY + timedelta(hours=5)))
    assert frame["label"].tolist() == [n % 2 for n in range(5)]
    assert max(fetched) < HOURS / 2


@pytest.mark.parametrize("written", [SPEC, SEGMENTED], ids=["before segments", "with segments"])
def test_late_labels_read_the_columns_of_segments_alone(engine: Engine, store: PredictionStore, written: Spec) -> None:
    """Where an older spec stored a segment's column among the features, that column of them is read."""
    frame = scored(6, day=DAY + timedelta(days=9))
    in_transaction(engine, lambda connection: PredictionStore(2, written).write(connection, "p/2", frame, NOW))
    statements: list[tuple[Any, ...]] = []
    with engine.connect() as connection:
        event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[3]))
        read = rows_read(connection, SEGMENTED, Chunk(DAY + timedelta(days=9), DAY + timedelta(days=10)))
    assert read["plan"].tolist() == frame["plan"].tolist()
    assert "minutes" not in read
    assert any("features" in str(values) for values in statements) is (written == SPEC)


def test_a_segment_of_an_unknown_column_is_null(engine: Engine, store: PredictionStore) -> None:
    other = Spec(columns=(*SPEC.columns, ColumnSpec(name="town", kind=ColumnKind.CATEGORICAL)), segments=("town",))
    with engine.connect() as connection:
        read = rows_read(connection, other, Chunk(DAY, DAY + timedelta(hours=3)))
    assert read["town"].isna().all()
