"""A small world for the poller: a registered model of three columns, its predictions by day, and their labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, Table, delete, insert, select

from driftline.engine.catalogue import ColumnKind
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.spec import ColumnSpec, ModelClock, Spec
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.predictions import PredictionStore
from driftline.store.tables import (
    chunk_revisions,
    chunk_states,
    ledger,
    pending_batches,
    pending_chunks,
    pending_labels,
    results,
    verdicts,
)
from driftline.store.versions import registry

NAME = "flights"
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = datetime(2026, 2, 1, tzinfo=UTC)
SPEC = Spec(
    columns=(
        ColumnSpec(name="minutes"),
        ColumnSpec(name="distance"),
        ColumnSpec(name="carrier", kind=ColumnKind.CATEGORICAL),
    ),
    clock=ModelClock.DATA,
    label_delay=3 * DAY,
    minimum_rows=50,
)


def rows_of(start: datetime, rows: int, seed: int, *, shift: float = 0.0, slope: float = 1.5) -> pd.DataFrame:
    """A day's scored rows, its truth in `label`; `shift` moves `minutes`, a small `slope` makes scores unsure."""
    rng = np.random.default_rng([seed, start.toordinal()])
    truth = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-slope * truth))
    return pd.DataFrame(
        {
            "event_time": [start] * rows,
            "id": [f"{start:%Y-%m-%d}/{n:04}" for n in range(rows)],
            "model_version": 1,
            "scored_at": pd.Timestamp(NOW),
            "prediction": (score > 0.5).astype(int),
            "probability_1": score,
            "minutes": truth + rng.normal(scale=0.3, size=rows) + shift,
            "distance": rng.gamma(2.0, 100.0, size=rows),
            "carrier": rng.choice(["AA", "DL", "UA"], p=[0.5, 0.3, 0.2], size=rows),
            "label": (rng.uniform(size=rows) < score).astype(int),
        }
    )


def reference(days: int = 8, rows: int = 300) -> pd.DataFrame:
    starts = [FIRST - (days - n) * DAY for n in range(days)]
    return pd.concat([rows_of(start, rows, seed=1) for start in starts], ignore_index=True)


@dataclass(frozen=True)
class MonitoredWorld:
    """A database with the model registered: writes days and labels through the ledger, reads what was stored."""

    engine: Engine

    def predict(
        self, day: int, rows: int = 300, *, shift: float = 0.0, slope: float = 1.5, part: slice = slice(None)
    ) -> None:
        frame = rows_of(FIRST + day * DAY, rows, seed=2, shift=shift, slope=slope).iloc[part]
        name = f"predict/{day}/{part.start}-{part.stop}"
        in_transaction(self.engine, lambda connection: self.store.write(connection, name, frame, _written(day)))

    def label(
        self, day: int, rows: int = 300, *, part: slice = slice(None), flipped: bool = False, again: bool = False
    ) -> None:
        """Label rows of a day.

        Flipped labels are known later than the true ones, and replace them; true ones that are known `again` replace
        flipped ones.
        """
        truth = rows_of(FIRST + day * DAY, rows, seed=2).iloc[part]
        frame = pd.DataFrame(
            {
                "id": truth["id"],
                "value": 1 - truth["label"] if flipped else truth["label"],
                "known_at": pd.Timestamp(FIRST + (day + 4) * DAY + timedelta(hours=2 * again + flipped)),
            }
        )
        name = f"label/{day}/{part.start}-{part.stop}/{flipped}/{again}"
        number = self.version.model_number
        in_transaction(
            self.engine, lambda connection: labels.write_batch(connection, name, number, frame, _written(day))
        )

    @property
    def version(self) -> registry.Version:
        return registry.load(self.engine, NAME)

    @property
    def store(self) -> PredictionStore:
        return self.version.store

    def rows(self, table: Table, *, without: Iterable[str] = ()) -> list[dict[str, Any]]:
        """Every row of a table, in the order of its key, apart from some columns."""
        with self.engine.connect() as connection:
            table_rows = connection.execute(select(table).order_by(*table.primary_key)).mappings().all()
        return [{name: value for name, value in row.items() if name not in without} for row in table_rows]

    def reported(self) -> dict[str, list[dict[str, Any]]]:
        """All that is current: what must be the same however often and by whom was polled."""
        current = [row for row in self.rows(chunk_revisions) if row["current"]]
        numbers = {row["chunk_start"]: row["revision"] for row in current}
        technical = {"revision", "computed_at", "sequence", "derived_at"}
        return {
            "chunks": [_without(row, technical) for row in current],
            "results": [
                _without(r, technical) for r in self.rows(results) if numbers.get(r["chunk_start"]) == r["revision"]
            ],
            "verdicts": [_without(row, technical) for row in self.rows(verdicts) if row["current"]],
            "pending": self.rows(pending_chunks),
            "batches": [row for row in self.rows(pending_batches) if row["consumer"] == "monitor"],
        }

    def forget(self) -> None:
        """Unsay all, and make every batch pending again: as if nobody had polled yet."""
        with self.engine.begin() as connection:
            for table in (chunk_revisions, results, verdicts, pending_chunks, chunk_states, pending_labels):
                connection.execute(delete(table))
            numbers = connection.execute(select(ledger.c.number).order_by(ledger.c.number)).scalars()
            rows = [{"consumer": "monitor", "batch_number": number} for number in numbers]
            connection.execute(insert(pending_batches).prefix_with("IGNORE"), rows)

    def states(self) -> dict[int, str]:
        """The state of each chunk's current verdict, by day."""
        return {
            (row["chunk_start"] - FIRST.replace(tzinfo=None)).days: row["state"]
            for row in self.rows(verdicts)
            if row["current"]
        }


def _written(day: int) -> datetime:
    """When a day's rows are written: nothing may be stamped after its writer's present."""
    return max(NOW, FIRST + (day + 4) * DAY)


def _without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _fitted(spec: Spec, days: int) -> FittedReference:
    return _fitted_on(spec.model_dump_json(), days)


@cache
def _fitted_on(spec: str, days: int) -> FittedReference:
    """Fit a reference once for all tests of a process: it takes longer than to register a model."""
    return fit_reference(reference(days), Spec.model_validate_json(spec))


def make_world(engine: Engine, objects: Path, spec: Spec = SPEC, days: int = 8) -> MonitoredWorld:
    """Register the model with a reference of some days and 300 rows each."""
    candidate = registry.Candidate(NAME, spec, "a" * 64, reference(days), None, {}, fitted=_fitted(spec, days))
    registry.register(engine, candidate, open_store(objects), NOW)
    return MonitoredWorld(engine)
