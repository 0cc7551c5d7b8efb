"""Data quality and summary statistics against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.chunks import by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import fit_reference
from driftline.engine.results import EVENT_TIME, MODEL, Kind, Quality, Result, State, Statistic
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec, Period, ThresholdPolicy
from tests.unit.engine.conftest import Example

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS, CATEGORICAL = ("car_value", "driver_tenure"), ("salary_range", "size_of_downpayment")
STATISTICS = (Statistic.MEAN, Statistic.SUM, Statistic.STANDARD_DEVIATION, Statistic.MEDIAN)
SPEC = ModelSpec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    period=Period.WEEK,
    minimum_rows=2,
    minimum_class_rows=1,
    thresholds=ThresholdPolicy.NANNYML,
    continuous_methods=(),
    categorical_methods=(),
    quality=(Quality.UNSEEN_CATEGORIES, Quality.OUT_OF_RANGE, Quality.ROW_COUNT),
    statistics=STATISTICS,
)
Chunks = list[dict[tuple[str, str], Result]]
Rows = tuple[pd.DataFrame, pd.DataFrame]


def _with_strays(rows: pd.DataFrame) -> pd.DataFrame:
    """Values beyond the reference's range on both sides, categories that it has not, and values that are missing."""
    at = np.random.default_rng(1).random(len(rows))
    return rows.assign(
        car_value=rows["car_value"].mask(at < 0.1, 1e6).mask(at > 0.97, -5.0).mask((at > 0.5) & (at < 0.6)),
        salary_range=rows["salary_range"].mask(at < 0.1, "new").mask(at > 0.95, "newer").mask((at > 0.5) & (at < 0.6)),
        size_of_downpayment=rows["size_of_downpayment"].mask((at > 0.3) & (at < 0.35)),
    )


@pytest.fixture(scope="module", params=["whole", "with gaps"])
def rows(request: pytest.FixtureRequest, example: Example) -> Rows:
    reference, analysis = example("")
    reference, analysis = reference[:4_000], _with_strays(analysis[-3_000:])
    if request.param == "whole":
        return reference, analysis
    gaps = np.random.default_rng(2).random(len(reference)) < 0.05
    return reference.assign(**{name: reference[name].mask(gaps) for name in (*CONTINUOUS, CATEGORICAL[0])}), analysis


@pytest.fixture(scope="module")
def ours(rows: Rows) -> Chunks:
    reference, analysis = rows
    fitted = fit_reference(reference.sample(frac=1, random_state=1), SPEC)
    found = [evaluate_chunk(fitted, SPEC, part) for _, part in by_chunk(analysis, SPEC.period, SPEC.zone)]
    assert len(found) > 3
    return [{(r.subject, r.method): r for r in results} for results in found]


def _theirs(calculator: Any, rows: Rows) -> pd.DataFrame:
    reference, analysis = (part.assign(**{EVENT_TIME: part[EVENT_TIME].dt.tz_localize(None)}) for part in rows)
    frame: pd.DataFrame = calculator.fit(reference).calculate(analysis).filter(period="analysis").to_df()
    return frame


def _held(ours: Chunks, theirs: pd.DataFrame, subject: str, method: str, group: str) -> list[Result]:
    """Compare value, bounds, alert and, where they have one, sampling error of each chunk; give our results."""
    assert len(ours) == len(theirs)
    results = [chunk[subject, method] for chunk in ours]
    own = theirs[group].reset_index(drop=True)
    for place, result in enumerate(results):
        row = own.loc[place]
        assert result.value == pytest.approx(row["value"], rel=1e-9, abs=1e-9)
        for bound, name in ((result.bounds.lower, "lower_threshold"), (result.bounds.upper, "upper_threshold")):
            assert bound == (None if pd.isna(row[name]) else pytest.approx(row[name], rel=1e-9, abs=1e-9))
        assert (result.state is State.WARN) == bool(row["alert"])
        if "sampling_error" in row and not pd.isna(row["sampling_error"]):
            assert result.sampling_error == pytest.approx(row["sampling_error"], rel=1e-9, abs=1e-12)
    return results


def test_unseen_categories(nannyml: ModuleType, rows: Rows, ours: Chunks) -> None:
    calculator = nannyml.UnseenValuesCalculator(
        column_names=list(CATEGORICAL), timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    theirs = _theirs(calculator, rows)
    for column in CATEGORICAL:
        results = _held(ours, theirs, column, Quality.UNSEEN_CATEGORIES, column)
        assert all(result.state is State.WARN for result in results)


def test_values_out_of_range(nannyml: ModuleType, rows: Rows, ours: Chunks) -> None:
    calculator = nannyml.NumericalRangeCalculator(
        column_names=list(CONTINUOUS), timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    theirs = _theirs(calculator, rows)
    for column in CONTINUOUS:
        results = _held(ours, theirs, column, Quality.OUT_OF_RANGE, column)
        assert (results[0].state is State.WARN) == (column == "car_value")


def test_row_count(nannyml: ModuleType, rows: Rows, ours: Chunks) -> None:
    theirs = _theirs(nannyml.SummaryStatsRowCountCalculator(EVENT_TIME, chunk_period="W"), rows)
    _held(ours, theirs, MODEL, Quality.ROW_COUNT, "rows_count")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_summary_statistics(nannyml: ModuleType, rows: Rows, ours: Chunks, statistic: Statistic) -> None:
    calculator = {
        Statistic.MEAN: nannyml.SummaryStatsAvgCalculator,
        Statistic.SUM: nannyml.SummaryStatsSumCalculator,
        Statistic.STANDARD_DEVIATION: nannyml.SummaryStatsStdCalculator,
        Statistic.MEDIAN: nannyml.SummaryStatsMedianCalculator,
    }[statistic]
    theirs = _theirs(calculator(list(CONTINUOUS), EVENT_TIME, chunk_period="W"), rows)
    gaps = bool(rows[0]["car_value"].isna().any())
    for column in CONTINUOUS:
        results = _held(ours, theirs, column, statistic, column)
        assert all(result.kind is Kind.STATISTIC and result.sampling_error is not None for result in results)
        # NannyML has no standard error of the standard deviation where the reference has gaps; we leave these out.
        known = theirs[column, "sampling_error"].notna()
        assert known.all() == (not gaps or statistic is not Statistic.STANDARD_DEVIATION)


def test_a_bound_below_0_is_none(nannyml: ModuleType, example: Example) -> None:
    """Row count and standard deviation where 3 standard deviations of the reference's chunks reach below 0."""
    reference, analysis = example("")
    uneven = reference[(reference.index < 150) | (reference.index > 4_000)][:1_000]
    rows = uneven.assign(car_value=uneven["car_value"].where(uneven.index > 4_000, 1.0)), analysis[-500:]
    fitted = fit_reference(rows[0], SPEC)
    found = [evaluate_chunk(fitted, SPEC, part) for _, part in by_chunk(rows[1], SPEC.period, SPEC.zone)]
    chunks = [{(r.subject, r.method): r for r in results} for results in found]
    counts = _theirs(nannyml.SummaryStatsRowCountCalculator(EVENT_TIME, chunk_period="W"), rows)
    spreads = _theirs(nannyml.SummaryStatsStdCalculator(["car_value"], EVENT_TIME, chunk_period="W"), rows)
    for result in (
        *_held(chunks, counts, MODEL, Quality.ROW_COUNT, "rows_count"),
        *_held(chunks, spreads, "car_value", Statistic.STANDARD_DEVIATION, "car_value"),
    ):
        assert result.bounds.lower is None
