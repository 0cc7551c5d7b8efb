"""Data quality and summary statistics against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, MODEL, Quality, Result, ResultKind, State, Statistic
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.conftest import Example
from tests.integration.engine.oracle import ChunkResults, Rows, named, results_of, same, theirs_of

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS, CATEGORICAL = ("car_value", "driver_tenure"), ("salary_range", "size_of_downpayment")
STATISTICS = (Statistic.MEAN, Statistic.SUM, Statistic.STANDARD_DEVIATION, Statistic.MEDIAN)
SPEC = Spec(
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
def computed(rows: Rows) -> ChunkResults:
    evaluated = results_of(rows, SPEC)
    assert len(evaluated) > 3
    return evaluated


def _results_of(
    computed: ChunkResults, theirs: pd.DataFrame, subject: str, kind: ResultKind, method: str, group: str
) -> list[Result]:
    """Compare value, bounds, alert and, where they have one, sampling error of each chunk; give our results."""
    results = [chunk[subject, kind, method] for chunk in computed]
    for result, row in zip(results, named(theirs, group), strict=True):
        assert same(result.value, row["value"]), (result, row)
        assert same(result.bounds.lower, row["lower_threshold"]), (result, row)
        assert same(result.bounds.upper, row["upper_threshold"]), (result, row)
        assert (result.state is State.WARN) == bool(row["alert"])
        if not pd.isna(row.get("sampling_error")):
            assert same(result.sampling_error, row["sampling_error"]), (result, row)
    return results


def test_unseen_categories(nannyml: ModuleType, rows: Rows, computed: ChunkResults) -> None:
    calculator = nannyml.UnseenValuesCalculator(
        column_names=list(CATEGORICAL), timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    theirs = theirs_of(calculator, rows)
    for column in CATEGORICAL:
        results = _results_of(computed, theirs, column, ResultKind.QUALITY, Quality.UNSEEN_CATEGORIES, column)
        assert all(result.state is State.WARN for result in results)


def test_values_out_of_range(nannyml: ModuleType, rows: Rows, computed: ChunkResults) -> None:
    calculator = nannyml.NumericalRangeCalculator(
        column_names=list(CONTINUOUS), timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    theirs = theirs_of(calculator, rows)
    for column in CONTINUOUS:
        results = _results_of(computed, theirs, column, ResultKind.QUALITY, Quality.OUT_OF_RANGE, column)
        assert (results[0].state is State.WARN) == (column == "car_value")


def test_row_count(nannyml: ModuleType, rows: Rows, computed: ChunkResults) -> None:
    theirs = theirs_of(nannyml.SummaryStatsRowCountCalculator(EVENT_TIME, chunk_period="W"), rows)
    _results_of(computed, theirs, MODEL, ResultKind.QUALITY, Quality.ROW_COUNT, "rows_count")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_summary_statistics(nannyml: ModuleType, rows: Rows, computed: ChunkResults, statistic: Statistic) -> None:
    calculator = {
        Statistic.MEAN: nannyml.SummaryStatsAvgCalculator,
        Statistic.SUM: nannyml.SummaryStatsSumCalculator,
        Statistic.STANDARD_DEVIATION: nannyml.SummaryStatsStdCalculator,
        Statistic.MEDIAN: nannyml.SummaryStatsMedianCalculator,
    }[statistic]
    theirs = theirs_of(calculator(list(CONTINUOUS), EVENT_TIME, chunk_period="W"), rows)
    gaps = bool(rows[0]["car_value"].isna().any())
    for column in CONTINUOUS:
        results = _results_of(computed, theirs, column, ResultKind.STATISTIC, statistic, column)
        assert all(result.sampling_error is not None for result in results)
        # NannyML has no standard error of the standard deviation where the reference has gaps; we leave these out.
        has_error = theirs[column, "sampling_error"].notna()
        assert has_error.all() == (not gaps or statistic is not Statistic.STANDARD_DEVIATION)


def test_a_bound_below_0_is_none(nannyml: ModuleType, example: Example) -> None:
    """Row count and standard deviation where 3 standard deviations of the reference's chunks reach below 0."""
    reference, analysis = example("")
    uneven = reference[(reference.index < 150) | (reference.index > 4_000)][:1_000]
    rows = uneven.assign(car_value=uneven["car_value"].where(uneven.index > 4_000, 1.0)), analysis[-500:]
    chunks = results_of(rows, SPEC)
    counts = theirs_of(nannyml.SummaryStatsRowCountCalculator(EVENT_TIME, chunk_period="W"), rows)
    spreads = theirs_of(nannyml.SummaryStatsStdCalculator(["car_value"], EVENT_TIME, chunk_period="W"), rows)
    for result in (
        *_results_of(chunks, counts, MODEL, ResultKind.QUALITY, Quality.ROW_COUNT, "rows_count"),
        *_results_of(chunks, spreads, "car_value", ResultKind.STATISTIC, Statistic.STANDARD_DEVIATION, "car_value"),
    ):
        assert result.bounds.lower is None
