"""Multivariate results of a chunk: in parts, after JSON, and under other specs."""

import numpy as np
import pandas as pd
import pytest

from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import MODEL, Bounds, Method, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput, SchemaMismatch
from tests.unit.engine.frame_builders import SPEC, scored_rows

BOTH = (Method.PCA_RECONSTRUCTION, Method.DOMAIN_CLASSIFIER)
MULTIVARIATE = SPEC.model_copy(
    update={"multivariate_methods": BOTH, "minimum_rows": 5, "minimum_class_rows": 1, "label_drift": True}
)


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(800, days=8), MULTIVARIATE)


def _multivariate(results: tuple[Result, ...]) -> dict[str, Result]:
    return {result.method: result for result in results if result.kind is ResultKind.MULTIVARIATE}


def test_multivariate_results_belong_to_the_model(fitted: FittedReference) -> None:
    results = _multivariate(evaluate_chunk(fitted, MULTIVARIATE, scored_rows(120, seed=1)))
    assert list(results) == list(BOTH)
    assert {(r.subject, r.rows, r.state, r.reason) for r in results.values()} == {(MODEL, 120, State.OK, None)}
    assert results[Method.PCA_RECONSTRUCTION].sampling_error is not None


def test_pca_has_two_sided_bounds_from_the_reference(fitted: FittedReference) -> None:
    bounds = fitted.bounds[MODEL, ResultKind.MULTIVARIATE, Method.PCA_RECONSTRUCTION].bounds
    assert None not in {bounds.lower, bounds.upper, bounds.alert_lower, bounds.alert_upper}
    limit = fitted.bounds[MODEL, ResultKind.MULTIVARIATE, Method.DOMAIN_CLASSIFIER]
    assert (limit.bounds, limit.note) == (Bounds(0.45, 0.65, 0.45, 0.65), None)


def test_a_broken_relation_is_seen(fitted: FittedReference) -> None:
    rows = scored_rows(300, seed=1)
    moved = rows.assign(usage=rows["calls"] * 100)
    results = _multivariate(evaluate_chunk(fitted, MULTIVARIATE, moved))
    assert {result.state for result in results.values()} == {State.WARN}


@pytest.mark.slow
def test_parts_merge_to_the_chunk(fitted: FittedReference) -> None:
    rows = scored_rows(60, seed=2)
    at_once = _multivariate(evaluate_chunk(fitted, MULTIVARIATE, rows))
    parts = [summarize_chunk(fitted, MULTIVARIATE, rows[np.arange(60) % 3 == number]) for number in (2, 0, 1)]
    merged = _multivariate(finish_chunk(fitted, MULTIVARIATE, parts[0].merge(parts[1]).merge(parts[2])))
    stored = FittedReference.from_json(fitted.to_json())
    assert stored.to_json() == fitted.to_json()
    again = _multivariate(evaluate_chunk(stored, MULTIVARIATE, rows.sample(frac=1, random_state=1)))
    for results in (merged, again):
        for method, result in results.items():
            assert result.value == pytest.approx(at_once[method].value, rel=1e-12)
            assert result.sampling_error == (
                None if method == Method.DOMAIN_CLASSIFIER else pytest.approx(at_once[method].sampling_error, rel=1e-12)
            )


def test_no_rows_are_no_data(fitted: FittedReference) -> None:
    results = _multivariate(evaluate_chunk(fitted, MULTIVARIATE, scored_rows(0)))
    assert {(result.value, result.state) for result in results.values()} == {(None, State.NO_DATA)}


def test_a_reference_without_the_methods_is_refused() -> None:
    rows = scored_rows(400, days=8)
    fitted = fit_reference(rows, SPEC)
    with pytest.raises(InvalidInput, match="not fitted for pca_reconstruction; fit it again"):
        evaluate_chunk(fitted, SPEC.model_copy(update={"multivariate_methods": BOTH[:1]}), rows)
    with pytest.raises(InvalidInput, match="not fitted for usage drift psi"):
        evaluate_chunk(fitted, SPEC.model_copy(update={"continuous_methods": (Method.PSI,)}), rows)


def test_the_domain_classifier_requires_time_and_id(fitted: FittedReference) -> None:
    rows: pd.DataFrame = scored_rows(20).drop(columns=["event_time", "id"])
    with pytest.raises(SchemaMismatch, match="missing: event_time, id"):
        evaluate_chunk(fitted, MULTIVARIATE, rows)
    pca_only = MULTIVARIATE.model_copy(update={"multivariate_methods": BOTH[:1]})
    assert list(_multivariate(evaluate_chunk(fitted, pca_only, rows))) == [Method.PCA_RECONSTRUCTION]


def test_an_invalid_spec_is_explained() -> None:
    with pytest.raises(InvalidInput, match="psi looks at one column; multivariate are pca_reconstruction, domain"):
        Spec(columns=(ColumnSpec(name="a"),), multivariate_methods=(Method.PSI,))
    with pytest.raises(InvalidInput, match="look at the watched features; watch some"):
        Spec(columns=(ColumnSpec(name="a", watched=False),), multivariate_methods=BOTH)
