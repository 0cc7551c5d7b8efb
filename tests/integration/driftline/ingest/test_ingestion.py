"""Batches on real servers: every format ends in the same rows, each once, and a refused batch stores nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, func, select

from driftline.errors import BatchConflict, DriftlineError, InvalidInput, NotFound, PredictionConflict
from driftline.ingest.errors import TooMuchContent
from driftline.ingest.ingestion import Ingestion, Receipt, Sent
from driftline.ingest.rows.content import Content, Encoding, Format
from driftline.store import removal
from driftline.store.sources import ingest_log
from driftline.store.sources.ingest_log import IngestState, LogFilter
from driftline.store.tables import batch_data, labels, ledger, pending_batches, pending_chunks, predictions
from driftline.store.tables import ingest_log as log_table
from monitoring.poll import touched_chunks
from tests.integration.driftline.ingest.senders import (
    WALL_SPEC,
    json_sent,
    labels_of,
    make_ingestion,
    nested,
    rows,
    sent,
)
from tests.integration.monitoring.world import FIRST, NAME, NOW


@pytest.fixture
def ingestion(engine: Engine, tmp_path: Path) -> Ingestion:
    return make_ingestion(engine, tmp_path)


def stored(ingestion: Ingestion, days: int = 9) -> pd.DataFrame:
    store = ingestion.targets.of(NAME).store
    with ingestion.engine.connect() as connection:
        return store.read(connection, 1, FIRST, FIRST + timedelta(days=days))


def contents(ingestion: Ingestion) -> dict[str, int]:
    """How many rows each table of batches has."""
    tables = (ledger, predictions, batch_data, labels, pending_batches)
    with ingestion.engine.connect() as connection:
        counts = {table.name: select(func.count()).select_from(table) for table in tables}
        return {name: connection.execute(statement).scalar_one() for name, statement in counts.items()}


def assert_same_rows(stored_rows: pd.DataFrame, sent_rows: pd.DataFrame) -> None:
    names = list(sent_rows)
    expected = sent_rows.sort_values(["event_time", "id"], ignore_index=True)
    pd.testing.assert_frame_equal(
        stored_rows[names].astype({"carrier": object}), expected.astype({"carrier": object}), check_dtype=False
    )


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("format_", Format)
def test_every_format_and_encoding_stores_the_same_rows(
    ingestion: Ingestion, format_: Format, encoding: Encoding
) -> None:
    receipt = ingestion.predictions(NAME, sent(rows(), format_, encoding))
    assert (receipt.rows, receipt.new, receipt.same) == (20, 20, 0)
    assert_same_rows(stored(ingestion), rows())
    assert ingestion.labels(NAME, sent(labels_of(rows()), format_, encoding)).new == 20
    assert stored(ingestion)["label"].tolist() == [n % 2 for n in range(20)]


def test_the_same_rows_are_one_batch_in_whatever_format_and_order(ingestion: Ingestion) -> None:
    batches = {ingestion.predictions(NAME, sent(rows(), format_)).batch for format_ in Format}
    batches.add(ingestion.predictions(NAME, sent(rows().sample(frac=1.0, random_state=1))).batch)
    assert len(batches) == 1
    before = contents(ingestion)
    assert ingestion.predictions(NAME, sent(rows())) == Receipt(batches.pop(), rows=20, new=0, same=20)
    assert contents(ingestion) == before


def test_a_key_names_a_batch_and_other_content_under_it_is_a_conflict(ingestion: Ingestion) -> None:
    first = ingestion.predictions(NAME, sent(rows(), key="night 1"))
    assert first.batch == "predictions/1/key/night 1"
    assert ingestion.predictions(NAME, sent(rows(), key="night 1")).same == 20
    before = contents(ingestion)
    with pytest.raises(BatchConflict):
        ingestion.predictions(NAME, sent(rows(19), key="night 1"))
    assert contents(ingestion) == before
    assert ingestion.predictions(NAME, sent(rows(), key="night 2")).same == 20


@pytest.mark.parametrize("key", ["", " a", "a\n", "ü", "x" * 101])
def test_a_key_that_cannot_be_stored_is_refused(ingestion: Ingestion, key: str) -> None:
    with pytest.raises(InvalidInput, match="Idempotency-Key"):
        ingestion.predictions(NAME, sent(rows(), key=key))


def test_a_longest_key_fits(ingestion: Ingestion) -> None:
    assert ingestion.predictions(NAME, sent(rows(), key="x" * 100)).new == 20
    assert ingestion.labels(NAME, sent(labels_of(rows()), key="x" * 100)).new == 20


def test_other_content_under_a_stored_id_is_refused_with_the_id(ingestion: Ingestion) -> None:
    ingestion.predictions(NAME, sent(rows()))
    before = contents(ingestion)
    changed = rows(25)
    changed.loc[3, "distance"] = -1.0
    changed = changed[::-1].reset_index(drop=True)  # rows are numbered as they were sent
    with pytest.raises(PredictionConflict, match="2026-02-01/0003") as refused:
        ingestion.predictions(NAME, sent(changed))
    assert [(fault.row, fault.value) for fault in refused.value.rows] == [(22, "2026-02-01/0003")]
    assert contents(ingestion) == before


def test_rows_without_a_time_get_the_time_of_receipt_once(engine: Engine, tmp_path: Path) -> None:
    ingestion = make_ingestion(engine, tmp_path, WALL_SPEC)
    untimed = [{name: value for name, value in row.items() if name != "at"} for row in nested(rows())]
    assert ingestion.predictions(NAME, json_sent(untimed)).new == 20
    later = Ingestion(engine, lambda: NOW + timedelta(hours=1))
    assert later.predictions(NAME, json_sent(untimed)).same == 20
    assert later.predictions(NAME, json_sent(untimed[:5])).same == 5
    assert set(stored(ingestion, days=60)["event_time"]) == {pd.Timestamp(NOW)}


def test_stored_rows_sent_again_keep_the_model_clock(engine: Engine, tmp_path: Path) -> None:
    ingestion = make_ingestion(engine, tmp_path, WALL_SPEC)
    later = Ingestion(engine, lambda: NOW + timedelta(hours=5))
    untimed = [{name: value for name, value in row.items() if name != "at"} for row in nested(rows())]
    ingestion.predictions(NAME, json_sent(untimed))
    assert later.predictions(NAME, json_sent(untimed[:10])).same == 10
    with engine.connect() as connection:
        newest = later.targets.of(NAME).store.newest
        assert newest(connection) == NOW
        new = untimed[0] | {"id": "new"}
        assert later.predictions(NAME, json_sent([*untimed[:10], new])).new == 1
        connection.rollback()
        assert newest(connection) == NOW + timedelta(hours=5)


def test_the_clock_of_the_data_needs_times(ingestion: Ingestion) -> None:
    untimed = [{name: value for name, value in row.items() if name != "at"} for row in nested(rows())]
    with pytest.raises(InvalidInput, match="Columns are missing: at"):
        ingestion.predictions(NAME, json_sent(untimed))


def test_all_faults_are_named_at_once_and_nothing_is_stored(ingestion: Ingestion) -> None:
    before = contents(ingestion)
    objects: list[dict[str, Any]] = nested(rows())
    objects[1]["at"] = "yesterday"
    objects[2]["prediction"] = "maybe"
    objects[3]["score"] = 83
    objects[4]["features"]["distance"] = "ERR"
    objects[6]["features"]["distance"] = "ERR"
    objects[5]["id"] = objects[0]["id"]
    objects[7]["id"] = None
    with pytest.raises(InvalidInput) as caught:
        ingestion.predictions(NAME, json_sent(objects))
    details = "\n".join(caught.value.details)
    for fragment in (
        "column 'at' has a value that is not an ISO 8601 time", "row 2 ('yesterday')",
        "column 'prediction' has 1 value that is not a class of the model ('maybe', row 3); send one of '0', '1'",
        "column 'score' has 1 value outside 0 to 1 (83.0, row 4)",
        "column 'features.distance' has 2 values that are not numbers (first 'ERR', row 5); clean it, or pass "
        "?na_values=ERR if that stands for a missing value",
        "column 'id' has no value in 1 row (row 8)",
        "that an earlier row has",
    ):  # fmt: skip
        assert fragment in details
    assert len(caught.value.details) == 6
    assert contents(ingestion) == before
    words = json_sent(objects, na_values=("ERR",))
    with pytest.raises(InvalidInput) as caught:
        ingestion.predictions(NAME, words)
    assert "ERR" not in "\n".join(caught.value.details)


REFUSED: dict[str, tuple[Sent, type[DriftlineError], str]] = {
    "missing column": (sent(rows().drop(columns="distance")), InvalidInput, "Columns are missing: distance"),
    "future": (sent(rows(day=NOW + timedelta(days=2))), InvalidInput, "in the future"),
    "no rows of objects": (json_sent([1, 2]), InvalidInput, "row 1 is 1"),
    "unknown field": (json_sent([{"id": "a", "scor": 1}]), InvalidInput, "unknown field 'scor'"),
    "not JSON": (Sent(Content.of(b"{", Format.JSON, None)), InvalidInput, "not valid JSON"),
    "NaN": (Sent(Content.of(b'[{"id": NaN}]', Format.JSON, None)), InvalidInput, "send null"),
    "deep": (Sent(Content.of(b"[" * 100_000, Format.JSON, None)), InvalidInput, "nested too deeply"),
    "no Parquet": (Sent(Content.of(b"PAR1", Format.PARQUET, None)), InvalidInput, "The body cannot be read as Parquet"),
    "no Arrow": (Sent(Content.of(b"none", Format.ARROW, None)), InvalidInput, "cannot be read as an Arrow stream"),
    "ragged": (Sent(Content.of(b"id,event_time\n1\n", Format.CSV, None)), InvalidInput, "The body, line 2"),
    "surrogate": (json_sent([{"id": "\ud800"}]), InvalidInput, "surrogate"),
    "lists": (json_sent([{"id": "a", "features": {"minutes": [1]}}]), InvalidInput, "not a single value"),
    "too many": (json_sent([{"id": str(n)} for n in range(100_001)]), TooMuchContent, "100,001 rows"),
    "version": (sent(rows(), version=7), NotFound, "no ready version 7"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_batch_stores_nothing_and_is_logged(ingestion: Ingestion, name: str) -> None:
    before = contents(ingestion)
    batch, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        ingestion.predictions(NAME, batch)
    assert contents(ingestion) == before
    entries = ingestion.log(NAME, 10)
    if error is not NotFound:
        assert [entry.state for _, entry in entries] == [IngestState.REFUSED]
        assert message in (entries[0][1].reason or "").replace("\n", " ") or error is InvalidInput


def test_labels_come_first_and_are_revised(ingestion: Ingestion) -> None:
    assert ingestion.labels(NAME, sent(labels_of(rows(), value=0))).new == 20
    ingestion.predictions(NAME, sent(rows()))
    receipt = ingestion.labels(NAME, sent(labels_of(rows(25))))
    assert (receipt.new, receipt.same, receipt.changed) == (5, 10, 10)
    assert stored(ingestion)["label"].tolist() == [n % 2 for n in range(20)]
    assert ingestion.labels(NAME, sent(labels_of(rows(25)))).same == 25


def test_labels_without_an_instant_are_known_at_receipt(ingestion: Ingestion) -> None:
    objects = [{"id": f"2026-02-01/{n:04}", "label": True} for n in range(3)]
    assert ingestion.labels(NAME, json_sent(objects)).new == 3
    later = Ingestion(ingestion.engine, lambda: NOW + timedelta(hours=1))
    assert later.labels(NAME, json_sent(objects)).same == 3
    with ingestion.engine.connect() as connection:
        assert connection.execute(select(labels.c.known_at).distinct()).scalars().all() == [NOW.replace(tzinfo=None)]


def test_of_labels_without_an_instant_the_later_arrival_wins(ingestion: Ingestion) -> None:
    later = Ingestion(ingestion.engine, lambda: NOW + timedelta(hours=1))
    assert ingestion.labels(NAME, json_sent([{"id": "a", "label": 1}])).new == 1
    assert later.labels(NAME, json_sent([{"id": "a", "label": 0}])).changed == 1


def test_a_label_that_is_older_than_the_stored_one_changes_nothing(ingestion: Ingestion) -> None:
    def label(value: int, hours: int) -> Receipt:
        at = (NOW - timedelta(hours=hours)).isoformat()
        return ingestion.labels(NAME, json_sent([{"id": "2026-02-01/0000", "label": value, "known_at": at}]))

    ingestion.predictions(NAME, sent(rows()))
    assert label(0, hours=1).new == 1
    with ingestion.engine.begin() as connection:
        connection.execute(delete(pending_batches))
    receipt = label(1, hours=2)
    assert (receipt.new, receipt.same, receipt.changed) == (0, 1, 0)
    assert stored(ingestion)["label"].dropna().tolist() == [0]
    touched_chunks.queue_touched_chunks(ingestion.engine)
    with ingestion.engine.connect() as connection:
        assert connection.execute(select(pending_batches)).all() == []
        assert connection.execute(select(pending_chunks)).all() == []
    assert label(1, hours=0).changed == 1


def test_faults_of_labels_are_named_at_once(ingestion: Ingestion) -> None:
    objects = [{"id": "a", "label": 2}, {"id": "a", "label": None, "known_at": "2027-01-01"}]
    with pytest.raises(InvalidInput) as caught:
        ingestion.labels(NAME, json_sent(objects))
    assert len(caught.value.details) == 4


def test_writers_of_the_same_rows_at_once_store_each_once(ingestion: Ingestion) -> None:
    def write(number: int) -> Receipt:
        return ingestion.predictions(NAME, sent(rows(60, first=20 * number), key=f"writer {number}"))

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(write, [0, 1, 2, 0]))
    assert sum(receipt.new for receipt in receipts) == 100
    assert stored(ingestion)["id"].tolist() == rows(100)["id"].tolist()


def test_the_log_says_what_came_and_forgets_it_after_a_month(ingestion: Ingestion) -> None:
    ingestion.predictions(NAME, sent(rows(), caller="nightly"))
    ingestion.labels(NAME, sent(labels_of(rows())))
    (second, label_entry), (first, entry) = ingestion.log(NAME, 10)
    assert (entry.kind, entry.caller, entry.rows_sent, entry.rows_new, entry.format) == (
        "predictions", "nightly", 20, 20, Format.ARROW,
    )  # fmt: skip
    assert label_entry.kind == "labels"
    assert [number for number, _ in ingestion.log(NAME, 10, LogFilter(before=second))] == [first]
    assert ingestion.log(NAME, 10, LogFilter(state=IngestState.REFUSED)) == []
    with ingestion.engine.begin() as connection:
        assert ingest_log.remove_old(connection, NOW + ingest_log.RETENTION) == 0
        assert ingest_log.remove_old(connection, NOW + 2 * ingest_log.RETENTION) == 2
        assert connection.execute(select(func.count()).select_from(log_table)).scalar_one() == 0


def test_rows_are_of_the_model_that_has_the_name_now(ingestion: Ingestion, tmp_path: Path) -> None:
    ingestion.predictions(NAME, sent(rows()))
    before = ingestion.targets.of(NAME)
    removal.remove(ingestion.engine, NAME)
    with pytest.raises(NotFound):
        ingestion.predictions(NAME, sent(rows()))
    make_ingestion(ingestion.engine, tmp_path / "again")
    assert ingestion.predictions(NAME, sent(rows())).new == 20
    assert ingestion.targets.of(NAME).model_number != before.model_number
    assert_same_rows(stored(ingestion), rows())
