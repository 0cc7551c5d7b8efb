"""What must hold of several classes whatever the rows are: a chunk is the sum of its parts, and order says nothing."""

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
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.results import State
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, LOOSE, SCORES, class_rows

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def fitted() -> MulticlassPerformance:
    return MulticlassPerformance.fit(class_rows(600), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    """A chunk of up to 60 rows with ties, in which scores, predictions and labels are missing in places."""
    rows = class_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in (SCORES[1], "prediction", "label"):
        rows[name] = rows[name].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.3, 1])))
    rows[SCORES[0]] = rows[SCORES[0]].mask(rng.random(len(rows)) < 0.1, draw(st.sampled_from([0.0, np.nan, np.inf])))
    return rows


def _found(fitted: MulticlassPerformance, summary: Rows) -> dict[tuple[str, str], Outcome]:
    return {(kind, method): outcome for kind, method, outcome in fitted.outcomes(summary, LOOSE)}


@LAW
@given(chunks(), st.integers(0, 99))
def test_a_chunk_is_the_merge_of_its_parts_in_any_order(
    fitted: MulticlassPerformance, rows: pd.DataFrame, seed: int
) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [fitted.summarize(rows[part == number], LOOSE) for number in range(3)]
    whole = _found(fitted, fitted.summarize(rows, LOOSE))
    for ordered in permutations(parts):
        assert _found(fitted, reduce(Rows.merge, ordered)) == whole
    assert _found(fitted, parts[0].merge(parts[1].merge(parts[2]))) == whole


@LAW
@given(chunks(), st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(fitted: MulticlassPerformance, rows: pd.DataFrame, seed: int) -> None:
    shuffled = fitted.summarize(rows.sample(frac=1, random_state=seed), LOOSE)
    assert _found(fitted, shuffled) == _found(fitted, fitted.summarize(rows, LOOSE))


@LAW
@given(chunks(), st.permutations(range(3)))
def test_the_order_of_classes_changes_nothing(
    fitted: MulticlassPerformance, rows: pd.DataFrame, order: list[int]
) -> None:
    spec = LOOSE.model_copy(update={"classes": tuple(CLASSES[place] for place in order)})
    other = MulticlassPerformance.fit(class_rows(600), spec)
    one = _found(fitted, fitted.summarize(rows, LOOSE))
    for kind, method, outcome in other.outcomes(other.summarize(rows, spec), spec):
        for value, again in (
            (outcome.value, one[kind, method].value),
            (outcome.sampling_error, one[kind, method].sampling_error),
        ):
            assert value == (None if again is None else pytest.approx(again, rel=1e-9, abs=1e-12)), (kind, method)


@LAW
@given(chunks())
def test_no_value_is_ever_without_reason_nor_other_than_finite(
    fitted: MulticlassPerformance, rows: pd.DataFrame
) -> None:
    for outcome in _found(fitted, fitted.summarize(rows, LOOSE)).values():
        if outcome.value is None:
            assert outcome.reason
            assert outcome.state in {State.INSUFFICIENT, State.PENDING_LABELS}
        numbers = (outcome.value, outcome.sampling_error)
        assert all(type(number) is float and np.isfinite(number) for number in numbers if number is not None)


@LAW
@given(chunks())
def test_a_stored_state_says_the_same(fitted: MulticlassPerformance, rows: pd.DataFrame) -> None:
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    stored = MulticlassPerformance.from_dict(json.loads(text))
    assert json.dumps(stored.to_dict(), allow_nan=False) == text
    assert _found(stored, stored.summarize(rows, LOOSE)) == _found(fitted, fitted.summarize(rows, LOOSE))
