"""A multiclass model, from its reference to the verdict of a chunk."""

from datetime import timedelta

import pandas as pd
import pytest

from driftline.engine.catalogue import METRICS, Problem
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.performance.multiclass.confusion import cell_names
from driftline.engine.results import MODEL, PREDICTION, Metric, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.verdict import verdict_of
from driftline.errors import InvalidInput, SchemaMismatch
from tests.unit.engine.frame_builders import ORIGIN
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, SCORES, SPEC, class_rows


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return FittedReference.from_json(fit_reference(class_rows(6_000, days=12), SPEC).to_json())


def _chunk(rows: pd.DataFrame, results: tuple[Result, ...]) -> ChunkFacts:
    labelled = int(rows["label"].notna().sum())
    return ChunkFacts(ORIGIN, ORIGIN + timedelta(days=1), True, True, len(rows), labelled, results)


def test_all_results_have_values(fitted: FittedReference) -> None:
    results = evaluate_chunk(fitted, SPEC, class_rows(500, seed=7))
    performance = {(r.kind, r.method) for r in results if r.subject == MODEL and r.kind in {"realized", "estimated"}}
    metrics = [m for m in METRICS[Problem.MULTICLASS] if m is not Metric.CONFUSION_MATRIX]
    names = (*metrics, *cell_names(CLASSES))
    assert performance == {(kind, name) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED) for name in names}
    assert all(r.value is not None for r in results)
    assert {r.subject for r in results if r.kind is ResultKind.DRIFT} == {"usage", "plan", *SCORES, PREDICTION}


def test_a_healthy_chunk_is_ok_and_counts_have_no_verdict(fitted: FittedReference) -> None:
    rows = class_rows(500, seed=7)
    verdict = verdict_of(SPEC, _chunk(rows, evaluate_chunk(fitted, SPEC, rows)))
    assert verdict.state is State.OK
    assert "onfusion" not in " ".join(verdict.reasons)


def test_random_predictions_alert(fitted: FittedReference) -> None:
    rows = class_rows(500, seed=7)
    rows["label"] = rows["label"].sample(frac=1, random_state=1).to_numpy()
    verdict = verdict_of(SPEC, _chunk(rows, evaluate_chunk(fitted, SPEC, rows)))
    assert verdict.state is State.ALERT


def test_a_missing_score_column_is_named(fitted: FittedReference) -> None:
    with pytest.raises(SchemaMismatch, match="missing: probability_gold"):
        evaluate_chunk(fitted, SPEC, class_rows(200).drop(columns=SCORES[0]))


def test_a_feature_cannot_have_the_name_of_a_score() -> None:
    with pytest.raises(InvalidInput, match="not reserved: probability_gold"):
        Spec(problem=Problem.MULTICLASS, classes=CLASSES, columns=(ColumnSpec(name=SCORES[0]),))
