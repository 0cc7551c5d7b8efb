"""Policy `nannyml` against NannyML itself: the same reference chunks, the same bounds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import DEFAULT_METRICS, Problem
from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind
from driftline.engine.spec import ColumnSpec, Spec, ThresholdPolicy
from driftline.engine.thresholds.policies import bounds_for

pytestmark = pytest.mark.filterwarnings("ignore")
NANNYML = Spec(columns=(ColumnSpec(name="x"),), thresholds=ThresholdPolicy.NANNYML)
CHUNK = 250


@pytest.fixture(scope="module", params=[0.5, 0.02], ids=["spread", "clipped"])
def reference(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Eight chunks of a model's rows; with little noise its bounds reach beyond the range and are clipped."""
    rng = np.random.default_rng(7)
    rows = 8 * CHUNK
    noise: float = request.param
    truth = rng.integers(0, 2, rows)
    score = np.clip(truth * (1 - noise) + noise * rng.uniform(size=rows), 0, 1)
    flipped = np.where(rng.uniform(size=rows) < noise / 5, 1 - truth, truth)
    return pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=rows, freq="h"),
            "x": rng.normal(size=rows),
            "c": pd.Categorical(rng.choice(list("abc"), rows)),
            "gaps": np.where(rng.uniform(size=rows) < 0.02, np.nan, 1.0),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": flipped,
        }
    )


def _same(frame: pd.DataFrame, group: tuple[str, ...], kind: ResultKind, method: str, value: str = "value") -> None:
    column: Mapping[str, Any] = {name: frame[(*group, name)].tolist() for name in (value, *_names(frame, group))}
    bounds = bounds_for(NANNYML, kind, method, column[value])
    lower, upper = (column[name][0] for name in _names(frame, group))
    assert bounds.lower == (None if lower is None else pytest.approx(lower, abs=1e-12))
    assert bounds.upper == (None if upper is None else pytest.approx(upper, abs=1e-12))
    assert (bounds.alert_lower, bounds.alert_upper) == (bounds.lower, bounds.upper)


def _names(frame: pd.DataFrame, group: tuple[str, ...]) -> tuple[str, str]:
    assert (*group, "lower_threshold") in frame.columns
    return "lower_threshold", "upper_threshold"


def test_drift(nannyml: Any, reference: pd.DataFrame) -> None:
    continuous = [Method.JENSEN_SHANNON, Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN]
    categorical = [Method.JENSEN_SHANNON, Method.CHI2]
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=["x", "c"],
        timestamp_column_name="at",
        continuous_methods=[str(method) for method in continuous],
        categorical_methods=[str(method) for method in categorical],
        chunk_size=CHUNK,
    )
    frame = calculator.fit(reference).result.to_df()
    for column, methods in (("x", continuous), ("c", categorical)):
        for method in methods:
            _same(frame, (column, method), ResultKind.DRIFT, method)


@pytest.mark.parametrize("metric", DEFAULT_METRICS[Problem.BINARY])
def test_performance(nannyml: Any, reference: pd.DataFrame, metric: Metric) -> None:
    arguments = {
        "metrics": [str(metric)],
        "y_true": "label",
        "y_pred": "prediction",
        "y_pred_proba": "score",
        "problem_type": "classification_binary",
        "timestamp_column_name": "at",
        "chunk_size": CHUNK,
    }
    realized = nannyml.PerformanceCalculator(**arguments).fit(reference).result.to_df()
    _same(realized, (metric,), ResultKind.REALIZED, metric)
    estimated = nannyml.CBPE(**arguments).fit(reference).result.to_df()
    _same(estimated, (metric,), ResultKind.ESTIMATED, metric, "realized")


def test_missing_values(nannyml: Any, reference: pd.DataFrame) -> None:
    calculator = nannyml.MissingValuesCalculator(
        column_names=["gaps"], timestamp_column_name="at", chunk_size=CHUNK
    ).fit(reference)
    _same(calculator.result.to_df(), ("gaps",), ResultKind.QUALITY, Quality.MISSING_VALUES)


def test_the_reference_does_reach_the_limits(nannyml: Any) -> None:
    assert bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, [1.0, 0.9, 1.0, 1.0]).upper == 1
    assert bounds_for(NANNYML, ResultKind.QUALITY, Quality.MISSING_VALUES, [0.0, 0.1]).lower == 0
    lower, upper = nannyml.thresholds.calculate_threshold_values(
        nannyml.thresholds.StandardDeviationThreshold(), np.array([0.0, 1.0]), 0, 1
    )
    assert bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, [0.0, 1.0]) == Bounds(
        lower, upper, lower, upper, expected=0.5
    )
