"""Registered models: proposed, registered once, listed, revised, retired, and removed without a rest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Engine, func, select

from driftline.engine.spec import ModelClock, Period
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.ingest.ingestion import Ingestion, Sent
from driftline.ingest.rows.content import Content
from driftline.models.registered_models import RegisteredModels, propose
from driftline.objects import open_store
from driftline.store.tables import metadata

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ROLES = {"timestamp": "at", "label": "y", "score": "s", "id": "key"}


def frame(days: int = 20, rows: int = 120, seed: int = 1) -> pd.DataFrame:
    """Return calibrated rows of some days under column names of a user."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(size=days * rows)
    times = pd.date_range("2026-03-01", periods=days * rows, freq=f"{86_400 // rows}s", tz="UTC")
    return pd.DataFrame(
        {
            "at": times,
            "key": [f"{seed}/{n}" for n in range(len(score))],
            "y": (rng.uniform(size=len(score)) < score).astype(int),
            "s": score,
            "amount": rng.normal(size=len(score)),
            "plan": rng.choice(["a", "b"], size=len(score)),
        }
    )


@pytest.fixture
def models(engine: Engine, tmp_path: Path) -> RegisteredModels:
    return RegisteredModels(engine, open_store(tmp_path / "objects"), lambda: NOW)


def ingested(engine: Engine, name: str, rows: pd.DataFrame) -> None:
    content = Content.of(rows.to_csv(index=False).encode(), "text/csv", None)
    Ingestion(engine, lambda: NOW).predictions(name, Sent(content, None))
    Ingestion(engine, lambda: NOW).labels(name, Sent(content, None))


def rows_left(engine: Engine) -> dict[str, int]:
    tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    with engine.connect() as connection:
        counts = {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
    return {name: count for name, count in counts.items() if count}


def test_a_proposal_says_what_was_inferred_and_what_will_be_seen() -> None:
    proposal = propose(frame(), "any", **ROLES)
    assert (proposal.spec.clock, proposal.spec.problem) == (ModelClock.WALL, "binary")
    assert {"problem", "chunk", "prediction", "reference"} <= {inference.what for inference in proposal.inferred}
    assert [change.chunks for change in proposal.visible_changes] == [1, 7, 30]
    assert any("ROC AUC" in line for line in proposal.visible_lines)
    assert proposal.layout.sources["probability_1"] == "s"


def test_files_of_every_format_propose_the_same(tmp_path: Path) -> None:
    rows = frame()
    rows.to_parquet(tmp_path / "f.parquet", index=False)
    rows.to_csv(tmp_path / "f.csv.gz", index=False)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.ipc.new_file(tmp_path / "f.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "g.arrow", table.schema) as writer:
        writer.write_table(table)
    proposals = [propose(tmp_path / name, "any", **ROLES) for name in ("f.parquet", "f.csv.gz", "f.arrow", "g.arrow")]
    assert {proposal.training_hash for proposal in proposals} == {propose(rows, "any", **ROLES).training_hash}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunk": "rows:100"}, r"calendar periods, not rows:100; pass chunk='1d'"),
        ({"chunk": "1w"}, "chunks of 1w, and 8 are needed"),
        ({"label": "z"}, "The backtest cannot start"),
    ],
)
def test_what_cannot_be_monitored_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        propose(frame(), "any", **(ROLES | options))


def test_a_short_file_gets_a_period_with_enough_chunks() -> None:
    proposal = propose(frame(days=9, rows=12), "any", **ROLES)
    assert proposal.spec.period is Period.DAY
    assert [str(note) for note in proposal.inferred if note.what == "chunk" and note.notable]


def test_the_same_reference_is_registered_once(models: RegisteredModels) -> None:
    assert [models.register(propose(frame(), "any", **ROLES)) for _ in range(2)] == [1, 1]
    assert models.register(propose(frame(seed=2), "any", **ROLES)) == 2
    assert models.register(propose(frame(), "other", **ROLES)) == 1
    (first, other) = models.summaries()
    assert (first.name, first.versions, first.version, first.problem, first.features) == ("any", (1, 2), 2, "binary", 2)
    assert (other.name, other.newest_chunk, other.state) == ("other", None, None)
    version = models.versions("any")[0]
    assert (version.state, version.layout.sources["event_time"], version.spec.features) == (
        "ready",
        "at",
        ("amount", "plan"),
    )
    assert models.fitted("any", 1).visible_changes() == propose(frame(), "any", **ROLES).visible_changes


def test_a_revision_queues_every_chunk_and_keeps_the_first(models: RegisteredModels, engine: Engine) -> None:
    models.register(propose(frame(), "any", chunk="1d", **ROLES))
    ingested(engine, "any", frame(days=3, seed=3))
    revised = models.revise("any", {"label_delay": "P3D", "alert_budget": 4.0, "segments": ["plan"]})
    assert (revised.version, revised.revision, revised.pending_chunks) == (1, 2, 3)
    (version,) = models.versions("any")
    assert [revision.spec.label_delay for revision in version.revisions] == [timedelta(0), timedelta(days=3)]
    assert version.spec.segments == ("plan",)
    with pytest.raises(InvalidInput, match="keeps problem, classes, columns of the version, and columns cannot change"):
        models.revise("any", {"columns": ["other"]})
    with pytest.raises(InvalidInput, match="not valid"):
        models.revise("any", {"label_delay": "soon", "period": "2d"})
    with pytest.raises(InvalidInput, match="8 are needed"):
        models.revise("any", {"period": "1q"})


def test_a_retired_version_takes_no_rows_but_stays_readable(models: RegisteredModels, engine: Engine) -> None:
    models.register(propose(frame(), "any", **ROLES))
    models.register(propose(frame(seed=2), "any", **ROLES))
    models.retire("any", 2)
    assert models.summaries()[0].versions == (1,)
    assert [version.state for version in models.versions("any")] == ["ready", "retired"]
    assert models.fitted("any", 2).spec.features == ("amount", "plan")
    with pytest.raises(NotFound, match="no ready version 2"):
        models.retire("any", 2)
    assert models.register(propose(frame(seed=2), "any", **ROLES)) == 2
    assert models.summaries()[0].versions == (1, 2)


def test_a_removed_model_leaves_nothing_and_no_other_model_is_touched(
    models: RegisteredModels, engine: Engine, tmp_path: Path
) -> None:
    models.register(propose(frame(seed=7), "other", **ROLES))
    ingested(engine, "other", frame(days=2, seed=8))
    before = rows_left(engine)
    models.register(propose(frame(), "any", **ROLES))
    ingested(engine, "any", frame(days=3, seed=3))
    models.revise("any", {"minimum_rows": 50})
    assert models.remove("any") > 700
    assert rows_left(engine) == before
    assert [path.name for path in (tmp_path / "objects/references").rglob("*.parquet") if "any" in path.parts] == []
    with pytest.raises(NotFound, match="Registered: other"):
        models.remove("any")


def test_wide_models_with_odd_names_are_registered(models: RegisteredModels, engine: Engine) -> None:
    rng = np.random.default_rng(4)
    rows = frame(days=9, rows=30)
    numbers = {f"n {n} `x`": rng.normal(size=len(rows)) for n in range(400)}
    texts = {f"t'{n}\"; --": rng.choice(["x", "y", "z"], size=len(rows)) for n in range(100)}
    wide = pd.concat([rows, pd.DataFrame(numbers | texts)], axis=1)
    assert models.register(propose(wide, "wide", chunk="1d", **ROLES)) == 1
    ingested(engine, "wide", wide.assign(key="w" + wide["key"]))
    assert models.summaries()[0].features == 502


def test_conflicting_columns_cannot_be_revised(models: RegisteredModels) -> None:
    models.register(propose(frame(), "any", **ROLES))
    with pytest.raises((Conflict, InvalidInput)):
        models.revise("any", {"classes": ["a", "b"]})
