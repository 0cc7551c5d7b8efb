"""The label watched for drift: only what is known of it counts, and only once it is due."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import Problem
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import LABEL, Method, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.drift_rule import drift_findings, drift_of, drift_reasons
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk, drift
from tests.unit.engine.frame_builders import SPEC, scored_rows

WATCHING = SPEC.model_copy(update={"label_drift": True})
HIDDEN = drift(0.15, column=LABEL)


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(2_000, days=8), WATCHING)


def _label(fitted: FittedReference, rows: pd.DataFrame) -> dict[str, Result]:
    results = [r for r in evaluate_chunk(fitted, WATCHING, rows) if r.subject == LABEL]
    assert {r.kind for r in results} == {ResultKind.DRIFT}
    return {r.method: r for r in results}


def test_only_labelled_rows_count(fitted: FittedReference) -> None:
    rows = scored_rows(800, seed=1)
    half = rows.assign(label=rows["label"].mask(np.arange(800) % 2 == 1))
    result = _label(fitted, half)[Method.CHI2]
    assert result.rows == 400
    assert result == _label(fitted, rows[::2])[Method.CHI2]


def test_more_positives_than_in_the_reference_drift(fitted: FittedReference) -> None:
    rows = scored_rows(800, seed=1)
    result = _label(fitted, rows.assign(label=rows["label"].where(np.arange(800) % 2 == 1, 1.0)))
    assert {r.state for r in result.values()} == {State.WARN}
    assert result[Method.CHI2].p_value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "state", "reason"),
    [(0, State.PENDING_LABELS, "no label is known yet"), (99, State.INSUFFICIENT, "99 labelled rows, fewer than")],
)
def test_few_labels_say_nothing(fitted: FittedReference, labels: int, state: State, reason: str) -> None:
    rows = scored_rows(800, seed=1)
    for result in _label(fitted, rows.assign(label=rows["label"].mask(np.arange(800) >= labels))).values():
        assert (result.value, result.state) == (None, state)
        assert reason in (result.reason or "")


def test_the_label_of_a_regression_is_a_number() -> None:
    spec = Spec(columns=(ColumnSpec(name="x"),), problem=Problem.REGRESSION, label_drift=True)
    assert [c.kind for c in spec.watched if c.name == LABEL] == ["continuous"]


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        (chunk(HIDDEN), True),
        (replace(chunk(HIDDEN), labels_due=False), False),
        (chunk(HIDDEN, labelled=949), False),
        (chunk(HIDDEN, labelled=950), True),
        (chunk(HIDDEN, closed=False), False),
    ],
)
def test_it_counts_once_labels_are_due_and_covered(facts: ChunkFacts, counts: bool) -> None:
    assert bool(drift_reasons(ONE_METRIC, facts)) is counts
    assert bool(drift_findings(ONE_METRIC, facts, drift_of(ONE_METRIC, facts, []))) is counts


def test_it_lasts_over_settled_chunks_only() -> None:
    early = chunk(HIDDEN, labelled=10)
    assert drift_of(ONE_METRIC, chunk(HIDDEN), [early]).lasting == frozenset()
    assert drift_of(ONE_METRIC, chunk(HIDDEN), [chunk(HIDDEN)]).lasting == {(ResultKind.DRIFT, LABEL, "")}


def test_early_labels_do_not_weigh_on_the_columns() -> None:
    """An unsettled label's p-value is not a member of the family that the false discovery rate is held over."""
    column = drift(0.15, Method.KOLMOGOROV_SMIRNOV, "x", p_value=0.04)
    label = drift(0.01, Method.KOLMOGOROV_SMIRNOV, LABEL, p_value=0.5)
    assert drift_reasons(ONE_METRIC, chunk(column, label, labelled=10))
    assert drift_reasons(ONE_METRIC, chunk(column, label)) == {}
