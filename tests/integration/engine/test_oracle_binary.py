"""Every number of a binary model that NannyML 0.13.1 has too, against NannyML itself on its own data, to 1e-9."""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.performance.binary.spreads import SEED
from driftline.engine.results import EVENT_TIME, LABEL, MODEL, PREDICTION, SCORE, Metric, Result, ResultKind
from driftline.engine.spec import BusinessValue, ColumnSpec, Period, Spec, ThresholdPolicy
from driftline.engine.thresholds.comparison import STANDARD_ERRORS, clip
from tests.integration.engine.conftest import Example
from tests.integration.engine.oracle import (
    ChunkResults,
    assert_same,
    results_of,
    same,
    theirs_of,
    uncalibrated,
    with_classes,
    with_random_gaps,
)

THEIR_NAMES = {
    Metric.ROC_AUC: "roc_auc",
    Metric.F1: "f1",
    Metric.ACCURACY: "accuracy",
    Metric.AVERAGE_PRECISION: "average_precision",
    Metric.PRECISION: "precision",
    Metric.RECALL: "recall",
    Metric.SPECIFICITY: "specificity",
    Metric.TRUE_POSITIVES: "true_positive",
    Metric.FALSE_POSITIVES: "false_positive",
    Metric.TRUE_NEGATIVES: "true_negative",
    Metric.FALSE_NEGATIVES: "false_negative",
    Metric.BUSINESS_VALUE: "business_value",
}
METRICS = ("roc_auc", "f1", "accuracy", "average_precision", "precision", "recall", "specificity")
WORTH = BusinessValue(true_positive=90.5, false_positive=-40.0, true_negative=3.25, false_negative=-120.0)
SPEC = Spec(
    columns=(ColumnSpec(name="car_value"),),
    metrics=tuple(THEIR_NAMES),
    business_value=WORTH,
    period=Period.WEEK,
    minimum_rows=2,
    minimum_class_rows=1,
    continuous_methods=(),
    categorical_methods=(),
    quality=(),
    thresholds=ThresholdPolicy.NANNYML,
)


@dataclass(frozen=True)
class BinaryCase:
    """A reference, rows to analyse."""

    reference: pd.DataFrame
    analysis: pd.DataFrame
    spec: Spec = SPEC

    def computed(self) -> ChunkResults:
        return results_of((self.reference, self.analysis), self.spec)


@pytest.fixture(scope="module", params=["calibrated", "uncalibrated"])
def case(request: pytest.FixtureRequest, example: Example) -> BinaryCase:
    """Scores with ties that are probabilities; scores without ties that are none, and values missing."""
    reference, analysis = example("")
    if request.param == "calibrated":
        return BinaryCase(reference[:3_500], analysis[-2_000:])
    return BinaryCase(uncalibrated(reference[:3_500]), with_random_gaps(uncalibrated(analysis[-2_000:])))


@pytest.fixture(scope="module")
def computed(case: BinaryCase) -> ChunkResults:
    chunks = case.computed()
    assert len(chunks) >= 2
    assert all(result.value is not None for chunk in chunks for result in chunk.values())
    return chunks


def _theirs(calculator: Any, case: BinaryCase, **options: Any) -> list[dict[str, dict[str, Any]]]:
    """NannyML's numbers by chunk, metric and part."""
    worth = case.spec.business_value or BusinessValue()
    matrix = [[worth.true_negative, worth.false_positive], [worth.false_negative, worth.true_positive]]
    calculation = calculator(
        y_pred_proba=SCORE,
        y_pred=PREDICTION,
        y_true=LABEL,
        timestamp_column_name=EVENT_TIME,
        problem_type="classification_binary",
        metrics=[*METRICS, "confusion_matrix", "business_value"],
        business_value_matrix=matrix,
        chunk_period="W",
        **options,
    )
    np.random.seed(SEED)  # NannyML resamples for average precision, without a seed of its own
    frame = theirs_of(calculation, with_classes((case.reference, case.analysis)))
    names = sorted({column[0] for column in frame.columns} - {"chunk"})
    return [{name: row[name].to_dict() for name in names} for _, row in frame.iterrows()]


def _same_numbers(theirs: list[dict[str, dict[str, Any]]], computed: ChunkResults, kind: ResultKind) -> None:
    assert len(theirs) == len(computed)
    for their_chunk, our_chunk in zip(theirs, computed, strict=True):
        for metric, name in THEIR_NAMES.items():
            result, numbers = our_chunk[MODEL, kind, metric], their_chunk[name]
            assert_same(result, numbers)


def test_realized_values_bounds_and_errors(nannyml: ModuleType, case: BinaryCase, computed: ChunkResults) -> None:
    _same_numbers(_theirs(nannyml.PerformanceCalculator, case), computed, ResultKind.REALIZED)


def test_estimated_values_bounds_and_errors(nannyml: ModuleType, case: BinaryCase, computed: ChunkResults) -> None:
    # NannyML cannot calibrate rows without a score; we leave them out (docs/deviations.md).
    scored = replace(case, analysis=case.analysis.dropna(subset=[SCORE]))
    theirs = _theirs(nannyml.CBPE, scored)
    _same_numbers(theirs, computed, ResultKind.ESTIMATED)
    for their_chunk, our_chunk in zip(theirs, computed, strict=True):
        for metric, name in THEIR_NAMES.items():
            lower, upper = _confidence_band(our_chunk[MODEL, ResultKind.ESTIMATED, metric]) or (None, None)
            assert same(lower, their_chunk[name]["lower_confidence_boundary"]), (metric, lower, their_chunk[name])
            assert same(upper, their_chunk[name]["upper_confidence_boundary"]), (metric, upper, their_chunk[name])


def _confidence_band(result: Result) -> tuple[float, float] | None:
    """Return the ends of 3 standard errors around a value, within its range; None without a value or an error."""
    if result.value is None or result.sampling_error is None:
        return None
    reach = STANDARD_ERRORS * result.sampling_error
    return clip(result.method, result.value - reach), clip(result.method, result.value + reach)


def test_business_value_per_prediction_is_a_mean_over_all_rows(nannyml: ModuleType, example: Example) -> None:
    """NannyML adds up the means of both predicted classes, against its documentation and its own sampling error."""
    reference, analysis = example("")
    mean = WORTH.model_copy(update={"per_prediction": True})
    spec = SPEC.model_copy(update={"metrics": (Metric.BUSINESS_VALUE,), "business_value": mean})
    case = BinaryCase(reference[:1_500], analysis[-1_000:], spec)
    theirs = _theirs(nannyml.PerformanceCalculator, case, normalize_business_value="per_prediction")
    totals = _theirs(nannyml.PerformanceCalculator, case)
    for their_chunk, total, our_chunk in zip(theirs, totals, case.computed(), strict=True):
        result, numbers = our_chunk[MODEL, ResultKind.REALIZED, Metric.BUSINESS_VALUE], their_chunk["business_value"]
        assert same(result.value, total["business_value"]["value"] / result.rows)
        assert same(result.sampling_error, numbers["sampling_error"])
        assert not same(result.value, numbers["value"])


def test_a_model_that_predicts_only_1_has_defined_metrics(nannyml: ModuleType, example: Example) -> None:
    reference, analysis = example("")
    case = BinaryCase(reference[:1_500], analysis[-1_000:].assign(**{PREDICTION: 1}))
    theirs = _theirs(nannyml.PerformanceCalculator, case)
    for their_chunk, our_chunk in zip(theirs, case.computed(), strict=True):
        for metric in (Metric.F1, Metric.PRECISION, Metric.RECALL):
            assert np.isnan(their_chunk[metric]["value"])
            assert our_chunk[MODEL, ResultKind.REALIZED, metric].value is not None
        assert our_chunk[MODEL, ResultKind.REALIZED, Metric.RECALL].value == 1.0
        assert same(
            our_chunk[MODEL, ResultKind.REALIZED, Metric.SPECIFICITY].value, their_chunk["specificity"]["value"]
        )
