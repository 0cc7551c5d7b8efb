"""Laws of multiclass performance for any rows: parts merge to the chunk, and order is irrelevant."""

import json
from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.outcome import Outcome
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.results import State
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, LOOSE, SCORES, class_rows

LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def fitted() -> MulticlassPerformance:
    return MulticlassPerformance.fit(class_rows(600), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a chunk of up to 60 rows with ties and some missing scores, predictions and labels."""
    rows = class_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in (SCORES[1], "prediction", "label"):
        rows[name] = rows[name].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.3, 1])))
    rows[SCORES[0]] = rows[SCORES[0]].mask(rng.random(len(rows)) < 0.1, draw(st.sampled_from([0.0, np.nan, np.inf])))
    return rows


def _outcomes(fitted: MulticlassPerformance, summary: MulticlassRows) -> dict[tuple[str, str], Outcome]:
    return {(kind, method): outcome for kind, method, outcome in fitted.outcomes(summary, LOOSE)}


@LAW
@given(chunks(), st.integers(0, 99))
def test_parts_merge_to_the_chunk_in_any_order(fitted: MulticlassPerformance, rows: pd.DataFrame, seed: int) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [fitted.summarize(rows[part == number], LOOSE) for number in range(3)]
    at_once = _outcomes(fitted, fitted.summarize(rows, LOOSE))
    for ordered in permutations(parts):
        assert _outcomes(fitted, reduce(MulticlassRows.merge, ordered)) == at_once
    assert _outcomes(fitted, parts[0].merge(parts[1].merge(parts[2]))) == at_once


@LAW
@given(chunks(), st.integers(0, 99))
def test_the_order_of_rows_is_irrelevant(fitted: MulticlassPerformance, rows: pd.DataFrame, seed: int) -> None:
    shuffled = fitted.summarize(rows.sample(frac=1, random_state=seed), LOOSE)
    assert _outcomes(fitted, shuffled) == _outcomes(fitted, fitted.summarize(rows, LOOSE))


@pytest.mark.slow
@LAW
@given(chunks(), st.permutations(range(3)))
def test_the_order_of_classes_is_irrelevant(
    fitted: MulticlassPerformance, rows: pd.DataFrame, order: list[int]
) -> None:
    spec = LOOSE.model_copy(update={"classes": tuple(CLASSES[position] for position in order)})
    reordered = MulticlassPerformance.fit(class_rows(600), spec)
    expected = _outcomes(fitted, fitted.summarize(rows, LOOSE))
    for kind, method, outcome in reordered.outcomes(reordered.summarize(rows, spec), spec):
        for value, expected_value in (
            (outcome.value, expected[kind, method].value),
            (outcome.sampling_error, expected[kind, method].sampling_error),
        ):
            assert value == (None if expected_value is None else pytest.approx(expected_value, rel=1e-9, abs=1e-12)), (
                kind,
                method,
            )


@LAW
@given(chunks())
def test_values_are_finite_or_have_a_reason(fitted: MulticlassPerformance, rows: pd.DataFrame) -> None:
    for outcome in _outcomes(fitted, fitted.summarize(rows, LOOSE)).values():
        if outcome.value is None:
            assert outcome.reason
            assert outcome.state in {State.INSUFFICIENT, State.PENDING_LABELS}
        numbers = (outcome.value, outcome.sampling_error)
        assert all(type(number) is float and np.isfinite(number) for number in numbers if number is not None)


@LAW
@given(chunks())
def test_a_stored_state_gives_the_same_outcomes(fitted: MulticlassPerformance, rows: pd.DataFrame) -> None:
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    stored = MulticlassPerformance.from_dict(json.loads(text))
    assert json.dumps(stored.to_dict(), allow_nan=False) == text
    assert _outcomes(stored, stored.summarize(rows, LOOSE)) == _outcomes(fitted, fitted.summarize(rows, LOOSE))
