"""Corrections replace what is read, deletions erase it from every table, and both touch the chunks concerned."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pytest
from sqlalchemy import Engine, func, select

from driftline.errors import InvalidInput
from driftline.ingest.ingestion import Ingestion, Receipt
from driftline.store.rows.encoding import columnar
from driftline.store.rows.writing import deletions
from driftline.store.tables import batch_data, labels, ledger, ledger_slots, predictions, removed_rows
from tests.integration.driftline.ingest.senders import json_sent, labels_of, make_ingestion, nested, rows, sent
from tests.integration.monitoring.world import FIRST, NAME, NOW


@pytest.fixture
def ingestion(engine: Engine, tmp_path: Path) -> Ingestion:
    new_ingestion = make_ingestion(engine, tmp_path)
    new_ingestion.predictions(NAME, sent(rows(), key="first"))
    new_ingestion.labels(NAME, sent(labels_of(rows())))
    return new_ingestion


def stored(ingestion: Ingestion) -> pd.DataFrame:
    store = ingestion.targets.of(NAME).store
    with ingestion.engine.connect() as connection:
        return store.read(connection, 1, FIRST, FIRST + timedelta(days=9))


def slots(ingestion: Ingestion, kind: str) -> list[tuple[int, int]]:
    """The days of the slots that batches of a kind touched, with the rows they added."""
    of_kind = ledger_slots.join(ledger, ledger.c.number == ledger_slots.c.batch_number)
    statement = select(ledger_slots.c.slot, ledger_slots.c.row_count).select_from(of_kind).where(ledger.c.kind == kind)
    with ingestion.engine.connect() as connection:
        slots_of_kind = connection.execute(statement.order_by(ledger_slots.c.slot))
        return [((slot - FIRST.replace(tzinfo=None)).days, count) for slot, count in slots_of_kind]


def contents(ingestion: Ingestion) -> str:
    """The text of every stored row of predictions and labels, blobs included."""
    with ingestion.engine.connect() as connection:
        blobs = connection.execute(select(batch_data.c.data)).scalars()
        texts = [str(columnar.decode(data).to_pylist()) for data in blobs]
        for table in (predictions, labels, removed_rows):
            texts.append(str(connection.execute(select(table)).all()))
    return "\n".join(texts)


def corrected(count: int = 3) -> pd.DataFrame:
    return rows(count).assign(distance=[-1.0 - n for n in range(count)])


def test_a_correction_replaces_content_and_touches_both_chunks(ingestion: Ingestion) -> None:
    moved = corrected().assign(event_time=pd.Timestamp(FIRST + timedelta(days=1)))
    assert ingestion.corrections(NAME, sent(moved, key="c")) == Receipt("corrections/1/key/c", 3, 0, 0, 3)
    read = stored(ingestion).sort_values("id")
    assert read["distance"].tolist()[:4] == [-1.0, -2.0, -3.0, rows()["distance"][3]]
    assert read["label"].tolist() == [n % 2 for n in range(20)]
    assert slots(ingestion, "correction") == [(0, -3), (1, 3)]
    assert ingestion.corrections(NAME, sent(moved, key="c")) == Receipt("corrections/1/key/c", 3, 0, 3)
    assert ingestion.corrections(NAME, sent(moved, key="d")).same == 3
    assert len(stored(ingestion)) == 20


def test_a_correction_without_times_keeps_the_stored_ones(ingestion: Ingestion) -> None:
    untimed = [{name: value for name, value in row.items() if name != "at"} for row in nested(rows())]
    untimed[4]["features"]["distance"] = -7
    receipt = ingestion.corrections(NAME, json_sent(untimed))
    assert (receipt.changed, receipt.same) == (1, 19)
    assert stored(ingestion)["distance"].tolist()[4] == -7.0
    assert slots(ingestion, "correction") == [(0, 0)]


def test_a_correction_without_times_keeps_the_model_clock(ingestion: Ingestion) -> None:
    untimed = [{name: value for name, value in row.items() if name != "at"} for row in nested(corrected())]
    assert ingestion.corrections(NAME, json_sent(untimed)).changed == 3
    with ingestion.engine.connect() as connection:
        assert ingestion.targets.of(NAME).store.newest(connection) == FIRST


def test_a_correction_can_be_corrected(ingestion: Ingestion) -> None:
    for distance in (-1.0, -2.0, -3.0):
        ingestion.corrections(NAME, sent(rows(2).assign(distance=distance)))
    assert stored(ingestion)["distance"].tolist()[:2] == [-3.0, -3.0]
    assert len(stored(ingestion)) == 20


def test_a_correction_of_an_unknown_id_is_refused(ingestion: Ingestion) -> None:
    before = contents(ingestion)
    with pytest.raises(InvalidInput, match="'2026-02-01/0020': no such prediction is stored; send it as a prediction"):
        ingestion.corrections(NAME, sent(rows(21)))
    assert contents(ingestion) == before


def test_a_deletion_erases_content_corrections_and_labels(ingestion: Ingestion) -> None:
    secret = rows(2).assign(carrier="Secret Air", distance=[4242.5, 4243.5])
    ingestion.corrections(NAME, sent(secret))
    ingestion.corrections(NAME, sent(corrected(2)))
    assert "Secret Air" in contents(ingestion)
    name = "2026-02-01/0000"
    receipt = ingestion.deletions(NAME, json_sent({"ids": [name, "nobody"]}))
    assert receipt.changed == 3  # as it was, and twice as it was before a correction
    text = contents(ingestion)
    assert name not in text
    assert "4242.5" not in text
    assert "4243.5" in text
    assert slots(ingestion, "deletion") == [(0, -1)]
    assert stored(ingestion)["id"].tolist() == rows()["id"].tolist()[1:]


def test_a_deletion_by_value_erases_whoever_has_it(ingestion: Ingestion) -> None:
    ingestion.corrections(NAME, sent(rows(4).assign(carrier="Secret Air", distance=[1.5, 2.5, 3.5, 4.5])))
    ingestion.corrections(NAME, sent(corrected(1)))
    assert ingestion.deletions(NAME, json_sent({"column": "carrier", "value": "Secret Air"})).changed == 7
    assert "Secret Air" not in contents(ingestion)
    assert stored(ingestion)["id"].tolist() == [rows()["id"][0], *rows()["id"].tolist()[4:]]
    minutes = float(stored(ingestion)["minutes"][1])
    assert ingestion.deletions(NAME, json_sent({"column": "minutes", "value": minutes})).changed == 1
    assert len(stored(ingestion)) == 16


@pytest.mark.parametrize("step", ["_positions_with", "_rows_at_places", "subjects_of_ids"])
@pytest.mark.parametrize("carrier", ["Secret Air", "AA"])
def test_a_deletion_by_value_follows_concurrent_corrections(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch, step: str, carrier: str
) -> None:
    """One correction keeps the value and one replaces it, each before a step of the deletion's scan begins."""
    ingestion.corrections(NAME, sent(rows(4).assign(carrier="Secret Air", distance=[1.5, 2.5, 3.5, 4.5])))
    work, pending = getattr(deletions, step), [rows(1).assign(carrier=carrier, distance=9.5)]

    def interrupted(*arguments: Any) -> Any:
        if pending:
            ingestion.corrections(NAME, sent(pending.pop()))
        return work(*arguments)

    monkeypatch.setattr(deletions, step, interrupted)
    ingestion.deletions(NAME, json_sent({"column": "carrier", "value": "Secret Air"}))
    assert not pending
    assert "Secret Air" not in contents(ingestion)
    expected = [] if carrier == "Secret Air" else [rows()["id"][0]]
    assert stored(ingestion)["id"].tolist() == [*expected, *rows()["id"].tolist()[4:]]
    assert stored(ingestion)["label"].notna().all()


def test_a_repeated_deletion_changes_nothing(ingestion: Ingestion) -> None:
    ids = {"ids": rows(3)["id"].tolist()}
    assert ingestion.deletions(NAME, json_sent(ids, key="d")).changed == 3
    before = contents(ingestion)
    with ingestion.engine.connect() as connection:
        batches = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    assert ingestion.deletions(NAME, json_sent(ids, key="d")).changed == 0
    assert ingestion.deletions(NAME, json_sent(ids)).changed == 0
    assert contents(ingestion) == before
    with ingestion.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ledger)).scalar_one() == batches
    assert ingestion.predictions(NAME, sent(rows(), key="first")).same == 20
    assert len(stored(ingestion)) == 17


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The deletion is {}"),
        ({"ids": "a"}, "send a list of texts"),
        ({"ids": [], "column": "a"}, "send {"),
        ({"column": "ticket", "value": 1}, "no feature 'ticket'; the model has minutes, distance, carrier"),
        ({"column": "carrier", "value": None}, "send a text or a number"),
        ({"column": "minutes", "value": "long"}, "is not a number"),
    ],
)
def test_a_deletion_that_names_nothing_is_refused(ingestion: Ingestion, body: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message.replace("{", "\\{").replace("}", "\\}")):
        ingestion.deletions(NAME, json_sent(body))


def test_erased_rows_lie_in_no_chunk(ingestion: Ingestion) -> None:
    ingestion.deletions(NAME, json_sent({"ids": rows(1)["id"].tolist()}))
    with ingestion.engine.connect() as connection:
        blob = connection.execute(select(batch_data.c.data).where(batch_data.c.content == "outputs")).scalars().first()
    assert blob is not None
    times = columnar.decode(blob).column("event_time")
    assert pc.min(times).as_py().year == 1970
    assert NOW.year > 1970
