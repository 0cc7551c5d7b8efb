"""The catalogue: one row for each metric, method and statistic, and an entry of it wherever one is computed."""

import pytest

from driftline.engine import catalogue
from driftline.engine.catalogue import COLUMN_METHODS, MEASURES, METRICS, Problem, Worse, measure, title
from driftline.engine.drift.methods import METHODS
from driftline.engine.multivariate.methods import MULTIVARIATE
from driftline.engine.performance.binary.metrics import COMPUTATIONS
from driftline.engine.performance.regression.losses import LOSS_OF
from driftline.engine.quality.methods import MODULES
from driftline.engine.results import Method, Metric, Quality, Statistic


@pytest.mark.parametrize("name", [*Metric, *Method, *Quality, *Statistic])
def test_every_name_has_exactly_one_row(name: Metric | Method | Quality | Statistic) -> None:
    assert [row.name for row in MEASURES].count(name) == 1
    assert title(name) == measure(name).title != ""


def test_rows_keep_the_order_of_their_names() -> None:
    assert [row.name for row in MEASURES if isinstance(row.name, Metric)] == list(Metric)
    assert [row.name for row in MEASURES if isinstance(row.name, Quality)] == list(Quality)
    assert [row.name for row in MEASURES if isinstance(row.name, Statistic)] == list(Statistic)


def test_every_metric_belongs_to_a_problem() -> None:
    assert {metric for metrics in METRICS.values() for metric in metrics} == set(Metric)
    for row in MEASURES:
        assert set(row.default_problems) <= set(row.problems)
        assert set(row.default_columns) <= set(row.columns)


def test_every_metric_and_method_is_computed() -> None:
    assert tuple(COMPUTATIONS) == METRICS[Problem.BINARY]
    assert tuple(LOSS_OF) == METRICS[Problem.REGRESSION]
    assert {(kind, method) for kind, methods in COLUMN_METHODS.items() for method in methods} == set(METHODS)
    assert tuple(MULTIVARIATE) == catalogue.MULTIVARIATE_METHODS
    assert all(measure(method).columns for method in MODULES)


def test_constant_bounds_are_on_the_worse_side() -> None:
    for row in MEASURES:
        assert row.constant_bounds.lower is None or row.worse is Worse.LOWER, row.name
        assert row.constant_bounds.upper is None or row.worse is Worse.HIGHER, row.name
        assert row.range[0] < row.range[1]


def test_one_of_several_numbers_is_named_in_its_title() -> None:
    assert title("quantiles:0.25") == "quantile 0.25"
    assert measure("quantiles:0.25") is measure(Statistic.QUANTILES)


def test_defaults_are_stable() -> None:
    assert catalogue.DEFAULT_METRICS == {
        Problem.BINARY: (Metric.ROC_AUC, Metric.F1, Metric.ACCURACY),
        Problem.MULTICLASS: (Metric.ROC_AUC, Metric.F1, Metric.ACCURACY),
        Problem.REGRESSION: (Metric.MAE, Metric.RMSE),
    }
    assert [*catalogue.DEFAULT_COLUMN_METHODS.values()] == [
        (Method.JENSEN_SHANNON, Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN),
        (Method.JENSEN_SHANNON, Method.CHI2),
    ]
    assert catalogue.DEFAULT_QUALITY == (Quality.MISSING_VALUES,)
    assert {*Metric, *Method, *Quality, *Statistic} - {Method.CHI2} == catalogue.OVERRIDABLE
    assert {
        Metric.ROC_AUC,
        Metric.AVERAGE_PRECISION,
        Metric.LOG_LOSS,
        Metric.BRIER,
        Metric.CALIBRATION_ERROR,
    } == catalogue.SCORE_METRICS
