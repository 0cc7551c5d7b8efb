"""Every value, bound and sampling error against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

import warnings
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.chunks import by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.performance import calibration
from driftline.engine.reference import fit_reference
from driftline.engine.results import (
    EVENT_TIME,
    LABEL,
    MODEL,
    PREDICTION,
    SCORE,
    Kind,
    Method,
    Quality,
    Result,
    State,
)
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec, Period, ThresholdPolicy
from tests.unit.engine.conftest import Example

CONTINUOUS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
SPEC = ModelSpec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    minimum_rows=2,
    minimum_class_rows=1,
    thresholds=ThresholdPolicy.NANNYML,
)
Chunks = list[dict[tuple[str, str, str], Result]]
OFFSET = {Period.DAY: "D", Period.WEEK: "W", Period.MONTH: "M"}


@dataclass(frozen=True)
class Case:
    """A reference, rows to analyse, and how long a chunk is."""

    reference: pd.DataFrame
    analysis: pd.DataFrame
    period: Period

    @property
    def spec(self) -> ModelSpec:
        return SPEC.model_copy(update={"period": self.period})

    def results(self) -> Chunks:
        """Our results, by chunk."""
        fitted = fit_reference(self.reference.sample(frac=1, random_state=1), self.spec)
        chunks = by_chunk(self.analysis, self.period, self.spec.zone)
        found = [evaluate_chunk(fitted, self.spec, rows) for _, rows in chunks]
        return [{(r.subject, r.kind, r.method): r for r in results} for results in found]


def _uncalibrated(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores without ties that are no probabilities: they need calibration."""
    noise = np.random.default_rng(3).uniform(-0.004, 0.004, len(rows))
    return rows.assign(**{SCORE: np.clip(rows[SCORE] + noise, 0, 1) ** 3})


def _random_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels and scores of which some are missing."""
    rng = np.random.default_rng(4)
    return rows.assign(
        **{name: rows[name].astype(float).mask(rng.random(len(rows)) < 0.2) for name in (LABEL, PREDICTION, SCORE)}
    )


@pytest.fixture(scope="module", params=["exact", "binned"])
def case(request: pytest.FixtureRequest, example: Example) -> Case:
    """References on both sides of 10,000 rows; the analysis rows, the latest, drifted and have missing values."""
    reference, analysis = example("_dq")
    if request.param == "exact":
        return Case(reference[:9_999], analysis[-2_000:], Period.MONTH)
    return Case(_uncalibrated(reference[:10_000]), _random_gaps(_uncalibrated(analysis[-4_000:])), Period.MONTH)


def test_both_kinds_of_calibration_are_compared(nannyml: ModuleType) -> None:
    """NannyML's decision whether to calibrate, and its curve, for scores that need it and for scores that do not."""
    grid = np.linspace(0, 1, 57)
    needed = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        scores = np.round(rng.beta(1, 2, size=20 + 31 * seed), 3 if seed % 3 else 1)
        labels = (rng.random(len(scores)) < (scores if seed % 2 else scores**2)).astype(np.int64)
        labels[:2], labels[2:4] = 0, 1
        calibrator = nannyml.calibration.IsotonicCalibrator()
        needed.append(nannyml.calibration.needs_calibration(labels, scores, calibrator))
        calibrator.fit(scores, labels)
        expected = calibrator.calibrate(grid) if needed[-1] else grid
        np.testing.assert_allclose(calibration.fit(scores, labels)(grid), expected, rtol=1e-12, atol=1e-12)
    assert {False, True} == set(needed)


@pytest.fixture(scope="module")
def ours(case: Case) -> Chunks:
    found = case.results()
    assert len(found) >= 1
    assert all(result.value is not None for chunk in found for result in chunk.values())
    return found


def _naive(rows: pd.DataFrame) -> pd.DataFrame:
    times = rows[EVENT_TIME].dt.tz_localize(None)
    return rows.assign(**{EVENT_TIME: times, PREDICTION: rows[PREDICTION].astype(object)})


def _analysed(calculator: Any, case: Case) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calculator.fit(_naive(case.reference))
        run = calculator.estimate if hasattr(calculator, "estimate") else calculator.calculate
        frame: pd.DataFrame = run(_naive(case.analysis)).filter(period="analysis").to_df()
    return frame


def _rows(theirs: pd.DataFrame, *names: str) -> list[dict[str, Any]]:
    """One column's results, a row per chunk."""
    own = [column for column in theirs.columns if tuple(column)[: len(names)] == names]
    return [dict(zip([column[-1] for column in own], row, strict=True)) for row in theirs[own].to_numpy().tolist()]


def _same(ours: float | None, theirs: Any) -> bool:
    if theirs is None or pd.isna(theirs):
        return ours is None
    return ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_drift_values_and_bounds(nannyml: ModuleType, case: Case, ours: Chunks) -> None:
    categorical = (*CATEGORICAL, PREDICTION)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, SCORE, *categorical],
        treat_as_categorical=list(categorical),
        timestamp_column_name=EVENT_TIME,
        continuous_methods=list(SPEC.continuous_methods),
        categorical_methods=list(SPEC.categorical_methods),
        chunk_period=OFFSET[case.period],
    )
    theirs = _analysed(calculator, case)
    assert len(theirs) == len(ours)
    drift = [key for key in ours[0] if key[1] is Kind.DRIFT]
    assert len(drift) == 5 * 3 + 4 * 2
    for column, kind, method in drift:
        for chunk, row in zip(ours, _rows(theirs, column, method), strict=True):
            result = chunk[column, kind, method]
            assert _same(result.value, row["value"]), (result, row)
            assert method == Method.CHI2 or _same(result.bounds.upper, row["upper_threshold"]), (result, row)
            assert (result.state is State.WARN) == bool(row["alert"]), (result, row)


def test_errors_and_bounds_of_a_reference_with_gaps(nannyml: ModuleType, example: Example) -> None:
    """CBPE cannot be fitted on such a reference; the realized metrics can."""
    reference, analysis = example("")
    case = Case(_random_gaps(reference[:6_000]), analysis[:3_000], Period.WEEK)
    _same_performance(nannyml.PerformanceCalculator, case, case.results(), Kind.REALIZED)


@pytest.mark.parametrize("kind", [Kind.REALIZED, Kind.ESTIMATED])
def test_performance_values_bounds_and_errors(nannyml: ModuleType, case: Case, ours: Chunks, kind: Kind) -> None:
    if kind is Kind.REALIZED:
        return _same_performance(nannyml.PerformanceCalculator, case, ours, kind)
    # NannyML cannot calibrate rows without a score; we leave them out (docs/deviations.md).
    scored = replace(case, analysis=case.analysis.dropna(subset=[SCORE]))
    return _same_performance(nannyml.CBPE, scored, ours, kind)


def _same_performance(calculator: Any, case: Case, ours: Chunks, kind: Kind) -> None:
    theirs = _analysed(
        calculator(
            y_pred_proba=SCORE,
            y_pred=PREDICTION,
            y_true=LABEL,
            timestamp_column_name=EVENT_TIME,
            problem_type="classification_binary",
            metrics=[metric.value for metric in SPEC.metrics],
            chunk_period=OFFSET[case.period],
        ),
        case,
    )
    assert len(theirs) == len(ours)
    for metric in SPEC.metrics:
        for chunk, row in zip(ours, _rows(theirs, metric.value), strict=True):
            result = chunk[MODEL, kind, metric]
            assert _same(result.value, row["value"]), (result, row)
            assert _same(result.sampling_error, row["sampling_error"]), (result, row)
            assert _same(result.bounds.lower, row["lower_threshold"]), (result, row)
            assert _same(result.bounds.upper, row["upper_threshold"]), (result, row)


def test_missing_values_and_errors(nannyml: ModuleType, case: Case, ours: Chunks) -> None:
    columns = [*CONTINUOUS, *CATEGORICAL, SCORE, PREDICTION]
    calculator = nannyml.MissingValuesCalculator(
        column_names=columns, timestamp_column_name=EVENT_TIME, chunk_period=OFFSET[case.period]
    )
    theirs = _analysed(calculator, case)
    for column in columns:
        for chunk, row in zip(ours, _rows(theirs, column), strict=True):
            result = chunk[column, Kind.QUALITY, Quality.MISSING_VALUES]
            assert _same(result.value, row["value"]), (result, row)
            assert _same(result.sampling_error, row["sampling_error"]), (result, row)
            assert _same(result.bounds.lower, row["lower_threshold"]), (result, row)
            assert _same(result.bounds.upper, row["upper_threshold"]), (result, row)
