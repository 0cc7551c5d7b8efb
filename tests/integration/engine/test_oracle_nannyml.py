"""Every value, bound and sampling error against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.performance import calibration
from driftline.engine.results import (
    EVENT_TIME,
    LABEL,
    MODEL,
    PREDICTION,
    SCORE,
    Method,
    Quality,
    ResultKind,
    State,
)
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.conftest import Example
from tests.integration.engine.oracle import (
    ChunkResults,
    Rows,
    assert_same,
    named,
    results_of,
    same,
    theirs_of,
    uncalibrated,
    with_classes,
    with_random_gaps,
)

CONTINUOUS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
SPEC = Spec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    minimum_rows=2,
    minimum_class_rows=1,
    thresholds=ThresholdPolicy.NANNYML,
)
OFFSET = {Period.DAY: "D", Period.WEEK: "W", Period.MONTH: "M"}


@dataclass(frozen=True)
class OracleCase:
    """A reference, rows to analyse, and how long a chunk is."""

    reference: pd.DataFrame
    analysis: pd.DataFrame
    period: Period

    @property
    def spec(self) -> Spec:
        return SPEC.model_copy(update={"period": self.period})

    @property
    def rows(self) -> Rows:
        return self.reference, self.analysis

    def computed(self) -> ChunkResults:
        return results_of(self.rows, self.spec)

    def theirs(self, calculator: Any) -> pd.DataFrame:
        return theirs_of(calculator, with_classes(self.rows))


@pytest.fixture(scope="module", params=["exact", "binned"])
def case(request: pytest.FixtureRequest, example: Example) -> OracleCase:
    """References on both sides of 10,000 rows; the analysis rows, the latest, drifted and have missing values."""
    reference, analysis = example("_dq")
    if request.param == "exact":
        return OracleCase(reference[:9_999], analysis[-2_000:], Period.MONTH)
    return OracleCase(uncalibrated(reference[:10_000]), with_random_gaps(uncalibrated(analysis[-4_000:])), Period.MONTH)


def test_both_kinds_of_calibration_are_compared(nannyml: ModuleType) -> None:
    """NannyML's decision whether to calibrate, and its curve, for scores that need it and for scores that do not."""
    grid = np.linspace(0, 1, 57)
    required = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        scores = np.round(rng.beta(1, 2, size=20 + 31 * seed), 3 if seed % 3 else 1)
        labels = (rng.random(len(scores)) < (scores if seed % 2 else scores**2)).astype(np.int64)
        labels[:2], labels[2:4] = 0, 1
        calibrator = nannyml.calibration.IsotonicCalibrator()
        required.append(nannyml.calibration.needs_calibration(labels, scores, calibrator))
        calibrator.fit(scores, labels)
        expected = calibrator.calibrate(grid) if required[-1] else grid
        np.testing.assert_allclose(calibration.fit(scores, labels)(grid), expected, rtol=1e-12, atol=1e-12)
    assert {False, True} == set(required)


@pytest.fixture(scope="module")
def computed(case: OracleCase) -> ChunkResults:
    chunks = case.computed()
    assert len(chunks) >= 1
    assert all(result.value is not None for chunk in chunks for result in chunk.values())
    return chunks


def test_drift_values_and_bounds(nannyml: ModuleType, case: OracleCase, computed: ChunkResults) -> None:
    categorical = (*CATEGORICAL, PREDICTION)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, SCORE, *categorical],
        treat_as_categorical=list(categorical),
        timestamp_column_name=EVENT_TIME,
        continuous_methods=list(SPEC.continuous_methods),
        categorical_methods=list(SPEC.categorical_methods),
        chunk_period=OFFSET[case.period],
    )
    theirs = case.theirs(calculator)
    assert len(theirs) == len(computed)
    drift = [key for key in computed[0] if key[1] is ResultKind.DRIFT]
    assert len(drift) == 5 * 3 + 4 * 2
    for column, kind, method in drift:
        for chunk, row in zip(computed, named(theirs, column, method), strict=True):
            result = chunk[column, kind, method]
            assert same(result.value, row["value"]), (result, row)
            assert method == Method.CHI2 or same(result.bounds.upper, row["upper_threshold"]), (result, row)
            assert (result.state is State.WARN) == bool(row["alert"]), (result, row)


def test_errors_and_bounds_of_a_reference_with_gaps(nannyml: ModuleType, example: Example) -> None:
    """CBPE cannot be fitted on such a reference; the realized metrics can."""
    reference, analysis = example("")
    case = OracleCase(with_random_gaps(reference[:6_000]), analysis[:3_000], Period.WEEK)
    _same_performance(nannyml.PerformanceCalculator, case, case.computed(), ResultKind.REALIZED)


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_performance_values_bounds_and_errors(
    nannyml: ModuleType, case: OracleCase, computed: ChunkResults, kind: ResultKind
) -> None:
    if kind is ResultKind.REALIZED:
        return _same_performance(nannyml.PerformanceCalculator, case, computed, kind)
    # NannyML cannot calibrate rows without a score; we leave them out (docs/deviations.md).
    scored = replace(case, analysis=case.analysis.dropna(subset=[SCORE]))
    return _same_performance(nannyml.CBPE, scored, computed, kind)


def _same_performance(calculator: Any, case: OracleCase, computed: ChunkResults, kind: ResultKind) -> None:
    """Assert that every metric equals that of NannyML's calculator."""
    theirs = case.theirs(
        calculator(
            y_pred_proba=SCORE,
            y_pred=PREDICTION,
            y_true=LABEL,
            timestamp_column_name=EVENT_TIME,
            problem_type="classification_binary",
            metrics=[metric.value for metric in SPEC.metrics],
            chunk_period=OFFSET[case.period],
        )
    )
    assert len(theirs) == len(computed)
    for metric in SPEC.metrics:
        for chunk, row in zip(computed, named(theirs, metric.value), strict=True):
            result = chunk[MODEL, kind, metric]
            assert_same(result, row)


def test_missing_values_and_errors(nannyml: ModuleType, case: OracleCase, computed: ChunkResults) -> None:
    columns = [*CONTINUOUS, *CATEGORICAL, SCORE, PREDICTION]
    calculator = nannyml.MissingValuesCalculator(
        column_names=columns, timestamp_column_name=EVENT_TIME, chunk_period=OFFSET[case.period]
    )
    theirs = case.theirs(calculator)
    for column in columns:
        for chunk, row in zip(computed, named(theirs, column), strict=True):
            result = chunk[column, ResultKind.QUALITY, Quality.MISSING_VALUES]
            assert_same(result, row)
