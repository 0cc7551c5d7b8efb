"""Any order and repetition of batches, corrections and deletions ends in the rows of a plain model of the system."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from driftline.errors import BatchConflict, InvalidInput, PredictionConflict
from driftline.ingest.ingestion import Ingestion, Receipt
from driftline.store import ledger
from driftline.store.rows import removed_rows
from driftline.store.rows.writing import prediction_writer
from driftline.store.tables import batch_data, ledger_slots, pending_batches
from driftline.store.tables import ingest_log as log_table
from driftline.store.tables import labels as labels_table
from driftline.store.tables import ledger as ledger_table
from driftline.store.tables import predictions as predictions_table
from driftline.store.tables import removed_rows as removed_table
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import json_sent, make_ingestion
from tests.integration.monitoring.world import FIRST, NAME
from tests.integration.simulated_kill import SimulatedKill, killed_at

BATCH_TABLES = (
    ledger_table, ledger_slots, pending_batches, predictions_table, batch_data, labels_table, removed_table, log_table,
)  # fmt: skip
IDS = [f"row {n}" for n in range(6)]


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@dataclass(frozen=True)
class BatchStep:
    """One batch: what it is, the ids that it has, and the content of all of them.

    `day` moves its event times, or the instant at which its labels were known.
    """

    kind: str
    ids: tuple[str, ...]
    content: int
    day: int

    @property
    def key(self) -> str:
        """The same steps have the same key, so that a repeated one is a replay."""
        return f"{self.kind} {' '.join(self.ids)} {self.content} {self.day}"


STEPS = st.builds(
    BatchStep,
    st.sampled_from(("predictions", "predictions", "corrections", "labels", "deletions")),
    st.lists(st.sampled_from(IDS), min_size=1, max_size=4, unique=True).map(lambda ids: tuple(sorted(ids))),
    st.integers(0, 2),
    st.integers(0, 1),
)


@dataclass
class Plain:
    """The system as one thinks of it: two dictionaries, and the keys that were stored."""

    rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    labels: dict[str, tuple[int, int]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def take(self, step: BatchStep) -> bool:
        """Apply a step; return whether it is accepted."""
        if step.key in self.keys:
            return True
        row = (step.content, step.day)
        if step.kind == "predictions" and any(self.rows.get(name, row) != row for name in step.ids):
            return False
        if step.kind == "corrections" and not self.rows.keys() >= {*step.ids}:
            return False
        self.keys.add(step.key)
        for name in step.ids:
            if step.kind == "labels":
                label = (step.day, step.content % 2)
                self.labels[name] = max(label, self.labels.get(name, label))
            elif step.kind == "deletions":
                self.rows.pop(name, None)
                self.labels.pop(name, None)
            else:
                self.rows[name] = row
        return True


def send(ingestion: Ingestion, step: BatchStep) -> Receipt:
    at = (FIRST + timedelta(days=step.day)).isoformat()
    features = {"minutes": step.content, "distance": step.content, "carrier": f"carrier {step.content}"}
    objects: dict[str, Any] = {
        "labels": [{"id": name, "label": step.content % 2, "known_at": at} for name in step.ids],
        "deletions": {"ids": list(step.ids)},
    }
    rows = [{"id": name, "at": at, "prediction": 1, "score": 0.5, "features": features} for name in step.ids]
    return getattr(ingestion, step.kind)(NAME, json_sent(objects.get(step.kind, rows), key=step.key))  # type: ignore[no-any-return]


def rows_stored(ingestion: Ingestion) -> pd.DataFrame:
    store = ingestion.targets.of(NAME).store
    with ingestion.engine.connect() as connection:
        return store.read(connection, 1, FIRST, FIRST + timedelta(days=9))


def assert_as_plain(ingestion: Ingestion, plain: Plain) -> None:
    """Assert that the stored rows, labels and counts equal those of the plain model."""
    frame = rows_stored(ingestion)
    days = (frame["event_time"] - pd.Timestamp(FIRST)).dt.days
    contents = frame["minutes"].astype(int)
    assert dict(zip(frame["id"], zip(contents, days, strict=True), strict=True)) == plain.rows
    labelled = frame[frame["label"].notna()]
    known_days = (pd.to_datetime(labelled["label_known_at"], utc=True) - pd.Timestamp(FIRST)).dt.days
    labels = zip(known_days, labelled["label"].astype(int), strict=True)
    expected = {name: label for name, label in plain.labels.items() if name in plain.rows}
    assert dict(zip(labelled["id"], labels, strict=True)) == expected
    with ingestion.engine.connect() as connection:
        counted = connection.execute(select(func.sum(ledger_slots.c.row_count))).scalar_one() or 0
        assert int(counted) == len(plain.rows)
        assert connection.execute(select(func.count()).select_from(labels_table)).scalar_one() == len(plain.labels)


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in BATCH_TABLES:
            connection.execute(delete(table))


@pytest.fixture
def ingestion(engine: Engine, tmp_path: Path) -> Ingestion:
    return make_ingestion(engine, tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_every_history_ends_as_the_plain_model_says(ingestion: Ingestion, steps: list[BatchStep]) -> None:
    empty(ingestion.engine)
    plain = Plain()
    for step in [*steps, *steps[::2]]:
        if plain.take(step):
            send(ingestion, step)
        else:
            with pytest.raises((PredictionConflict, InvalidInput, BatchConflict)):
                send(ingestion, step)
    assert_as_plain(ingestion, plain)


SEAMS: list[tuple[Any, str]] = [
    (ledger, "open_batch"),
    (ledger, "touch_changed"),
    (removed_rows, "remove"),
    (prediction_writer.PredictionWriter, "insert_data"),
    (prediction_writer.PredictionWriter, "load_ids"),
]


@pytest.mark.parametrize(("place", "name"), SEAMS, ids=[name for _, name in SEAMS])
def test_a_kill_between_two_writes_stores_nothing(ingestion: Ingestion, place: Any, name: str) -> None:
    steps = [BatchStep("predictions", tuple(IDS), 0, 0), BatchStep("corrections", tuple(IDS[:3]), 1, 1)]
    steps += [BatchStep("labels", tuple(IDS), 1, 0), BatchStep("deletions", tuple(IDS[2:]), 0, 0)]
    plain = Plain()
    for step in steps:
        with killed_at(place, name):
            try:
                send(ingestion, step)
            except SimulatedKill:
                assert_as_plain(ingestion, plain)
        assert plain.take(step)
        send(ingestion, step)
        assert_as_plain(ingestion, plain)
