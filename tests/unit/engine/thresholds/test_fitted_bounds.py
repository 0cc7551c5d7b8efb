"""Fitted bounds: drawn from the reference, finished with the chunk's own sampling error."""

import numpy as np
import pytest

from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import MODEL, Metric, Result, ResultKind
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.thresholds.fitted_bounds import FittedBounds, bounds_from_list, bounds_to_list
from tests.unit.engine.frame_builders import SPEC, scored_rows


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(6_000, days=12), SPEC)


def _accuracy(fitted: FittedReference, rows: int, labelled: int) -> Result:
    frame = scored_rows(rows, seed=3)
    labelled_frame = frame.assign(label=frame["label"].mask(np.arange(rows) >= labelled))
    results = evaluate_chunk(fitted, SPEC, labelled_frame)
    return next(r for r in results if (r.kind, r.method) == (ResultKind.REALIZED, Metric.ACCURACY))


def test_few_labels_are_given_wider_bounds(fitted: FittedReference) -> None:
    limit = fitted.bounds[MODEL, ResultKind.REALIZED, Metric.ACCURACY]
    many, few = _accuracy(fitted, 4_000, 4_000), _accuracy(fitted, 4_000, 110)
    assert many.bounds == limit.bounds
    assert limit.spread is not None
    assert few.sampling_error is not None
    assert few.sampling_error > limit.spread.deviation
    assert few.bounds.lower == pytest.approx(limit.spread.mean - 3 * few.sampling_error)
    assert few.bounds.expected == many.bounds.expected


def test_only_performance_keeps_its_spread(fitted: FittedReference) -> None:
    kinds = {kind for (_, kind, _), limit in fitted.bounds.items() if limit.spread is not None}
    assert kinds == {ResultKind.REALIZED, ResultKind.ESTIMATED}
    nannyml = fit_reference(scored_rows(600, days=6), SPEC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML}))
    assert {limit.spread for limit in nannyml.bounds.values()} == {None}


def test_bounds_survive_a_list(fitted: FittedReference) -> None:
    assert bounds_from_list(bounds_to_list(fitted.bounds)) == fitted.bounds
    assert bounds_from_list([]) == {}
    assert (
        FittedBounds(fitted.bounds[MODEL, ResultKind.REALIZED, Metric.F1].bounds).bounds_at(
            ResultKind.REALIZED, Metric.F1, 9.0
        )
        == fitted.bounds[MODEL, ResultKind.REALIZED, Metric.F1].bounds
    )
