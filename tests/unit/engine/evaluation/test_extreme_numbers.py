"""Whatever numbers the rows hold: no fault, no result other than finite or none with a reason, and valid JSON."""

import json
from dataclasses import asdict
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.catalogue import METRICS, Problem
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.frames.columns import FloatArray
from driftline.engine.results import Method, Quality, Result, ResultKind, Statistic
from driftline.engine.spec import Spec
from tests.unit.engine import frame_builders
from tests.unit.engine.performance.multiclass import class_builders
from tests.unit.engine.performance.regression import price_builders
from tests.unit.example_counts import FEW

ALL = {
    "minimum_rows": 2,
    "minimum_class_rows": 1,
    "continuous_methods": (
        Method.JENSEN_SHANNON,
        Method.KOLMOGOROV_SMIRNOV,
        Method.WASSERSTEIN,
        Method.HELLINGER,
        Method.PSI,
    ),
    "multivariate_methods": (Method.PCA_RECONSTRUCTION,),
    "quality": tuple(Quality),
    "statistics": tuple(Statistic),
    "label_drift": True,
}
BINARY_METRICS = tuple(metric for metric in METRICS[Problem.BINARY] if metric != "business_value")
SPECS: dict[Problem, Spec] = {
    Problem.BINARY: frame_builders.SPEC.model_copy(update={**ALL, "metrics": BINARY_METRICS}),
    Problem.MULTICLASS: class_builders.SPEC.model_copy(update=ALL),
    Problem.REGRESSION: price_builders.SPEC.model_copy(update=ALL),
}
ROWS = {
    Problem.BINARY: frame_builders.scored_rows,
    Problem.MULTICLASS: class_builders.class_rows,
    Problem.REGRESSION: price_builders.price_rows,
}
TARGETS = {
    Problem.BINARY: ("usage", "calls", "probability_1"),
    Problem.MULTICLASS: ("usage", class_builders.SCORES[0]),
    Problem.REGRESSION: ("age", "doors", "prediction", "label"),
}
EDGES = (0.0, -0.0, 5e-324, -1e-310, 1e-162, 1e-71, 2.0**53, 1e38, 4e38, 1e70, -1e70, 1.1e70, 1e155, -1.797e308)
NUMBERS = st.sampled_from([*EDGES, np.inf, -np.inf, np.nan]) | st.floats()
SLOW = settings(max_examples=FEW, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def extremes(draw: st.DrawFn, usual: FloatArray) -> FloatArray:
    """Return numbers in place of the usual ones: these on an extreme scale, or some or all of them replaced."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = usual * draw(st.sampled_from([1.0, 1e-310, 1e-80, 1e20, 1e69, 1e150, 1e306]))
    few = np.array(draw(st.lists(NUMBERS, min_size=1, max_size=4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return np.where(rng.random(len(usual)) < draw(st.sampled_from([0, 0.1, 1])), rng.choice(few, len(usual)), scaled)


@st.composite
def frames(draw: st.DrawFn, problem: Problem) -> pd.DataFrame:
    """Return rows of five days, one or two columns of them extreme."""
    rows = ROWS[problem](90, days=5, seed=draw(st.integers(0, 99)))
    names = draw(st.lists(st.sampled_from(TARGETS[problem]), min_size=1, max_size=2, unique=True))
    return rows.assign(**{name: draw(extremes(rows[name].to_numpy(dtype=np.float64))) for name in names})


def _not_json(constant: str) -> NoReturn:
    pytest.fail(f"{constant} is not JSON")


def _checked(result: Result) -> None:
    decoded = json.loads(json.dumps(asdict(result), allow_nan=False))
    assert decoded["value"] is not None or (result.reason and result.state not in {"ok", "warn", "alert"})


@pytest.mark.slow
@pytest.mark.parametrize("problem", list(Problem))
@SLOW
@given(st.data())
def test_results_are_finite_or_say_why_not(problem: Problem, data: st.DataObject) -> None:
    rows, spec = data.draw(frames(problem)), SPECS[problem]
    fitted = fit_reference(rows, spec)
    text = fitted.to_json()
    json.loads(text, parse_constant=_not_json)
    back = FittedReference.from_json(text)
    assert back.to_json() == text
    for chunk, part in split_by_chunk(data.draw(frames(problem)), spec.period, spec.zone):
        results = evaluate_chunk(fitted, spec, part, chunk)
        assert results == evaluate_chunk(back, spec, part, chunk)
        assert {result.kind for result in results} > {ResultKind.REALIZED, ResultKind.ESTIMATED, ResultKind.DRIFT}
        for result in results:
            _checked(result)
