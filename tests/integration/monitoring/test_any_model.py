"""Models of every problem, from a reference file to reports: the numbers are those of a back-test of the same rows."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

import driftline as dl
from driftline.engine.results import Result, State
from driftline.ingest.ingestion import Ingestion, Sent
from driftline.ingest.rows.content import Content
from driftline.models.registered_models import RegisteredModels, propose
from driftline.objects import open_store
from monitoring.report.chunk_views import ChunkRange
from monitoring.report.files.reports import DRIFT_REPORT, PERFORMANCE_REPORT
from monitoring.service import MonitorService

NOW = datetime(2026, 5, 1, tzinfo=UTC)
UNTIL = "2026-03-13"
DAYS, ROWS = 18, 150


def features(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Features whose names are words of SQL, of the engine, or hardly names at all."""
    return {
        "SELECT": rng.normal(size=rows),
        "größe m² ": rng.gamma(2.0, 3.0, size=rows),
        "model": rng.choice(["a,b", "NA", 'say "x"', "d e"], size=rows),
        "region": rng.choice(["EU", "US", "übersee"], p=[0.5, 0.3, 0.2], size=rows),
        "label_known_at": rng.integers(0, 9, rows).astype(float),
    }


def frame_of(outputs: Callable[[np.random.Generator, int], dict[str, Any]]) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = DAYS * ROWS
    times = pd.date_range("2026-03-01", periods=rows, freq=f"{86_400 // ROWS}s")
    return pd.DataFrame(
        {"made at": times, "Schlüssel": [f"k{n}" for n in range(rows)], **outputs(rng, rows), **features(rng, rows)}
    )


def multiclass(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    scores = rng.dirichlet((2.0, 1.0, 1.0), size=rows)
    classes = np.array(["gold", "silver medal", "Ü"])
    drawn = (scores.cumsum(axis=1) > rng.uniform(size=(rows, 1))).argmax(axis=1)
    names = {f"p {name}": scores[:, place] for place, name in enumerate(classes)}
    return {"truth": classes[drawn], "guess": classes[scores.argmax(axis=1)], **names}


def regression(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    guess = rng.gamma(3.0, 50.0, size=rows)
    return {"truth": guess * rng.lognormal(0.0, 0.2, size=rows), "guess": guess}


def binary(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    score = rng.uniform(size=rows)
    return {"truth": np.where(rng.uniform(size=rows) < score, "Yes", "no"), "percent": 100 * score}


def unscored(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    return {"truth": rng.integers(0, 2, rows), "guess": rng.integers(0, 2, rows)}


CLASSES = ("gold", "silver medal", "Ü")
CASES: dict[str, tuple[Any, dict[str, Any], bool]] = {
    "multiclass": (multiclass, {"prediction": "guess", "score": {name: f"p {name}" for name in CLASSES}}, True),
    "regression": (regression, {"prediction": "guess", "problem": "regression"}, True),
    "words and percent": (binary, {"score": "percent"}, True),
    "no score": (unscored, {"prediction": "guess"}, False),
}


def sent(frame: pd.DataFrame, form: str) -> Sent:
    """The rows as a request has them: a table in CSV or Parquet."""
    if form == "csv":
        return Sent(Content.of(frame.to_csv(index=False).encode(), "text/csv", None), None)
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return Sent(Content.of(buffer.getvalue(), "application/vnd.apache.parquet", None), None)


Values = dict[tuple[str, ...], float | None]


def values(results: tuple[Result, ...]) -> Values:
    return {(str(r.subject_kind), r.subject, r.kind, r.method, r.segment or ""): r.value for r in results}


def renamed(key: tuple[str, ...], sources: dict[str, str]) -> tuple[str, ...]:
    return (key[0], sources.get(key[1], key[1]), *key[2:])


@pytest.mark.parametrize("case", CASES)
def test_a_registered_file_is_monitored_as_a_back_test_evaluates_it(case: str, engine: Engine, tmp_path: Path) -> None:
    outputs, roles, has_score = CASES[case]
    frame = frame_of(outputs)
    file = tmp_path / "scored.parquet"
    frame.to_parquet(file, index=False)
    options: dict[str, Any] = {"timestamp": "made at", "label": "truth", "id": "Schlüssel", "chunk": "1d"}
    options["reference_until"] = UNTIL
    spec = {"segments": ["region"]}
    expected = dl.backtest(file, spec=spec, **options, **roles)

    models = RegisteredModels(engine, open_store(tmp_path / "objects"), lambda: NOW)
    proposal = propose(file, "any", spec=spec | {"clock": "data"}, **options, **roles)
    assert models.register(proposal) == 1
    ingestion = Ingestion(engine, lambda: NOW)
    later = frame[frame["made at"] >= UNTIL]
    half = len(later) // 2 + 7
    receipts = [
        ingestion.predictions("any", sent(later.iloc[part], form))
        for part, form in ((slice(half), "csv"), (slice(half, None), "parquet"))
    ]
    assert [receipt.new for receipt in receipts] == [half, len(later) - half]
    assert ingestion.labels("any", sent(later[["Schlüssel", "truth"]], "csv")).new == len(later)
    monitor = MonitorService(engine, open_store(tmp_path / "reports"), lambda: NOW)
    summary = monitor.poll(scheduled=False)
    assert (summary.failed, summary.chunks) == (0, len(expected.chunks))

    status = monitor.status("any", None, ChunkRange())
    sources = dict(proposal.layout.sources)
    rename = partial(renamed, sources=sources)
    for computed, chunk in zip(status.chunks, expected.chunks, strict=True):
        assert (computed.start, computed.rows, computed.labelled) == (chunk.start, chunk.rows, chunk.labelled)
        stored = {rename(key): value for key, value in values(computed.results).items()}
        backtested = values(chunk.results)
        assert stored.keys() == (backtested.keys() if has_score else {key for key in backtested if key in stored})
        assert [backtested[key] for key in backtested.keys() - stored.keys()] == [None] * (
            len(backtested) - len(stored)
        )
        assert {key: value for key, value in stored.items() if value is not None} == pytest.approx(
            {key: value for key, value in backtested.items() if value is not None}, rel=1e-12, abs=1e-12
        )
        assert computed.verdict.state in (chunk.verdict.state, State.NO_DATA)
    performance = pd.read_csv(tmp_path / "reports" / PERFORMANCE_REPORT)
    assert performance["realized"].notna().sum() >= len(expected.chunks)
    assert set(pd.read_csv(tmp_path / "reports" / DRIFT_REPORT)["model"]) == {"any"}
