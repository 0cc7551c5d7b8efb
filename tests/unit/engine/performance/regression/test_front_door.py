"""A regression model, from its reference to the verdict of a chunk."""

from datetime import timedelta

import pandas as pd
import pytest

from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import MODEL, PREDICTION, Result, ResultKind, State
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.frame_builders import ORIGIN
from tests.unit.engine.performance.regression.price_builders import SPEC, price_rows


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return FittedReference.from_json(fit_reference(price_rows(4_800, days=12), SPEC).to_json())


def _chunk(rows: pd.DataFrame, results: tuple[Result, ...]) -> ChunkFacts:
    labelled = int(rows["label"].notna().sum())
    return ChunkFacts(ORIGIN, ORIGIN + timedelta(days=1), True, True, len(rows), labelled, results)


@pytest.mark.slow
def test_all_results_have_values(fitted: FittedReference) -> None:
    results = evaluate_chunk(fitted, SPEC, price_rows(400, seed=7))
    performance = {(r.kind, r.method) for r in results if r.subject == MODEL and r.kind in {"realized", "estimated"}}
    assert performance == {
        (kind, name) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED) for name in SPEC.metrics
    }
    assert all(r.value is not None for r in results)
    assert {r.subject for r in results if r.kind is ResultKind.DRIFT} == {"age", "fuel", PREDICTION}


@pytest.mark.slow
def test_a_healthy_chunk_is_ok(fitted: FittedReference) -> None:
    rows = price_rows(400, seed=7)
    assert verdict_of(SPEC, _chunk(rows, evaluate_chunk(fitted, SPEC, rows))).state is State.OK


def test_larger_losses_alert_and_smaller_ones_do_not(fitted: FittedReference) -> None:
    rows = price_rows(400, seed=7)
    worse = rows.assign(label=rows["label"] + 3_000)
    verdict = verdict_of(SPEC, _chunk(worse, evaluate_chunk(fitted, SPEC, worse)))
    assert verdict.state is State.ALERT
    assert "Mean absolute error" in verdict.reasons[0]
    better = rows.assign(label=rows["prediction"])
    assert verdict_of(SPEC, _chunk(better, evaluate_chunk(fitted, SPEC, better))).state is State.OK


def test_an_estimate_may_warn_before_labels_are_in(fitted: FittedReference) -> None:
    rows = price_rows(4_000, seed=7)
    old = rows[rows["age"] > 15].assign(label=float("nan"))
    results = {(r.kind, r.method): r for r in evaluate_chunk(fitted, SPEC, old) if r.subject == MODEL}
    assert results[ResultKind.ESTIMATED, "mae"].state is State.WARN
    assert results[ResultKind.REALIZED, "mae"].state is State.PENDING_LABELS
