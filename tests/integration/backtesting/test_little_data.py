"""Chunks with few rows: sufficient if the model's sampling error allows, else named in a note."""

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.engine.minimum_rows import auc_error
from driftline.engine.results import State


def scored(rows: int, days: int, slope: float = 1.5, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Predictions of a calibrated model; a lower `shift` makes class 1 rarer."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-slope * x - shift))
    ts = pd.date_range("2000-01-01", periods=rows, freq=pd.Timedelta(days=days) / rows)
    return pd.DataFrame({"ts": ts, "x": x, "score": score, "label": (rng.random(rows) < score).astype(int)})


def run(frame: pd.DataFrame, until: str, **options: Any) -> dl.BacktestResult:
    return dl.backtest(frame, timestamp="ts", label="label", score="score", reference_until=until, **options)


def inferred(result: dl.BacktestResult, subject: str) -> list[str]:
    return [f"{item.value} ({item.rule})" for item in result.inferred if item.what == subject]


def test_90_rows_are_enough_to_distinguish_a_strong_model() -> None:
    frame = scored(rows=91 * 40, days=3_652)
    result = run(frame, "2004-01-01", chunk="1q")
    states = [chunk.verdict.state for chunk in result.chunks]
    assert {chunk.rows for chunk in result.chunks[:-1]} <= {89, 90, 91, 92}
    assert states.count(State.INSUFFICIENT) == 0
    assert states.count(State.OK) >= len(states) - 3
    assert "cannot distinguish" in inferred(result, "minimum")[0]
    assert not result.notes


def test_a_weak_model_needs_more_rows_and_they_are_proposed() -> None:
    frame = scored(rows=91 * 40, days=3_652, slope=0.3)
    result = run(frame, "2004-01-01", chunk="1mo", spec={"alert_budget": None})
    assert all(chunk.verdict.state is State.INSUFFICIENT for chunk in result.chunks)
    (note,) = result.notes
    assert f"{len(result.chunks)} chunks of 1mo have too little data" in note
    assert "chunk='rows:100' gives chunks of 100 rows" in note
    longer = run(frame, "2004-01-01", chunk="rows:100")
    assert not longer.notes


def test_the_period_that_would_work_is_proposed() -> None:
    frame = scored(rows=40 * 40, days=40, slope=0.3)
    result = run(frame, "2000-01-21", chunk="1h")
    assert "chunk='1w' gives chunks of about 200 rows" in result.notes[0]


def test_a_minimum_of_the_spec_is_kept() -> None:
    frame = scored(rows=91 * 40, days=3_652)
    result = run(frame, "2004-01-01", chunk="1q", spec={"minimum_rows": 100, "alert_budget": None})
    assert all(chunk.verdict.state is State.INSUFFICIENT for chunk in result.chunks)
    assert not inferred(result, "minimum")


def test_a_proposed_period_has_rows_of_the_rarer_class() -> None:
    frame = scored(rows=600 * 120, days=120, shift=-5.5)
    rate = float(frame.label.mean())
    assert 600 * rate < 10
    result = run(frame, "2000-03-25")
    assert result.chunk == "1w"
    assert all(chunk.verdict.state is not State.INSUFFICIENT for chunk in result.chunks)


def test_chunks_of_equal_size_are_not_more_than_the_rows_allow() -> None:
    result = run(scored(rows=1_500, days=10), "2000-01-06")
    assert result.chunk == "count:7"


def test_the_error_of_a_roc_auc_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(3_000):
        positives, negatives = rng.normal(1, 1, 20), rng.normal(0, 1, 60)
        draws.append(float(np.mean(positives[:, None] > negatives[None, :])))
    assert auc_error(float(np.mean(draws)), 20, 60) == pytest.approx(float(np.std(draws)), rel=0.15)
    assert auc_error(0.5, 400, 400) == pytest.approx(sqrt(801 / (12 * 400 * 400)), rel=0.01)


def test_a_value_from_part_of_the_rows_states_their_number() -> None:
    frame = scored(rows=12_000, days=60)
    frame.loc[(frame.ts >= "2000-02-12") & (frame.index % 5 < 3), "score"] = np.nan
    chunk = run(frame, "2000-02-10", chunk="1d").chunks[6]
    assert chunk.rows == 200
    assert "Only 80 labelled rows of 200 have a score." in chunk.verdict.reasons


def test_two_days_of_hours_say_why_bounds_alert_and_what_would_do() -> None:
    """The reason is in the table, and in the report; a longer reference has alerts within the budget."""
    frame = scored(rows=24 * 80 * 6, days=6)
    result = run(frame, "2000-01-03", chunk="1h")
    reason = "The reference covers 2 whole days, too few to show how days differ; give a reference of at least 3 days."
    assert result.reference.visible_lines == (f"Bounds alone alert, without a budget of false alerts. {reason}",)
    assert reason in result.to_html()
    assert all(chunk.evidence is None for chunk in result.chunks)
    longer = run(frame, "2000-01-04", chunk="1h")
    assert longer.reference.no_evidence is None
    assert "ROC AUC" in longer.reference.visible_lines[0]
