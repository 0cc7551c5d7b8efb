import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from driftline.engine.chunk_facts import ChunkFacts
from driftline.engine.drift_rule import discoveries, drift_findings, drift_seen, lasting_drift
from driftline.engine.findings import reasons
from driftline.engine.results import Bounds, Kind, Method, Result
from tests.unit.engine.chunk_builders import ONE_METRIC, UPPER, chunk, drift, missing

NARROW = Bounds(upper=0.02, alert_upper=0.03)
SEEN, CALM = chunk(drift(0.15)), chunk(drift(0.05))


@pytest.mark.parametrize(
    ("result", "drifted"),
    [
        (drift(0.15), True),
        (drift(0.12), False),
        (drift(0.1, bounds=NARROW), False),
        (drift(0.1001, bounds=NARROW), True),
        (drift(0.15, Method.KOLMOGOROV_SMIRNOV, p_value=1e-9), True),
        (drift(0.15, Method.KOLMOGOROV_SMIRNOV, p_value=0.2), False),
        (drift(70.0, Method.WASSERSTEIN, effect=0.2, bounds=Bounds(upper=50)), True),
        (drift(70.0, Method.WASSERSTEIN, effect=0.1, bounds=Bounds(upper=50)), False),
        (drift(70.0, Method.WASSERSTEIN, effect=0.2, bounds=Bounds(upper=80)), False),
        (drift(70.0, Method.WASSERSTEIN, effect=0.2, bounds=Bounds()), True),
        (drift(70.0, Method.WASSERSTEIN, effect=None, bounds=Bounds(upper=50)), False),
        (drift(40.0, Method.CHI2, effect=0.3, p_value=1e-6, bounds=Bounds()), True),
        (drift(40.0, Method.CHI2, effect=0.3, p_value=0.051, bounds=Bounds()), False),
        (drift(40.0, Method.CHI2, effect=0.09, p_value=1e-6, bounds=Bounds()), False),
        (drift(0.05, bounds=Bounds(lower=0.1)), False),
        (missing(0.2, effect=0.06), True),
        (missing(0.2, effect=0.05), False),
        (missing(0.1, effect=0.06), False),
        (missing(0.1, effect=0.06, bounds=Bounds()), True),
    ],
)
def test_drift_is_outside_its_bound_and_above_its_floor(result: Result, drifted: bool) -> None:
    assert set(drift_seen(ONE_METRIC, chunk(result))) == (
        {(result.kind, "x", result.method if result.kind is Kind.QUALITY else "")} if drifted else set()
    )


def test_an_insignificant_column_is_dismissed_with_all_its_methods() -> None:
    tested = drift(0.11, Method.KOLMOGOROV_SMIRNOV, p_value=0.3)
    assert drift_seen(ONE_METRIC, chunk(drift(0.15), tested)) == {}
    assert len(drift_seen(ONE_METRIC, chunk(drift(0.15), drift(0.15, column="y"), tested))) == 1


def test_the_false_discovery_rate_is_held_over_the_columns() -> None:
    suspect = drift(0.15, Method.KOLMOGOROV_SMIRNOV, "a", p_value=0.04)
    others = [drift(0.01, Method.KOLMOGOROV_SMIRNOV, f"c{i}", p_value=0.5) for i in range(9)]
    assert set(drift_seen(ONE_METRIC, chunk(suspect))) == {(Kind.DRIFT, "a", "")}
    assert drift_seen(ONE_METRIC, chunk(suspect, *others)) == {}


@given(st.lists(st.floats(0, 1), max_size=30))
def test_discoveries_are_those_of_scipy(p_values: list[float]) -> None:
    adjusted = false_discovery_control(p_values) if p_values else np.array([])
    for found, value in zip(discoveries(p_values), adjusted, strict=True):
        assert found == (value <= 0.05) or np.isclose(value, 0.05, rtol=1e-12)


def test_no_discoveries_without_tests() -> None:
    assert discoveries([]) == ()
    assert discoveries([0.05]) == (True,)
    assert discoveries([0.050001]) == (False,)
    assert discoveries([0.03, 0.04]) == (True, True)


@pytest.mark.parametrize(
    ("preceding", "present", "lasts"),
    [
        ([], SEEN, False),
        ([CALM, CALM], SEEN, False),
        ([CALM, SEEN], SEEN, True),
        ([SEEN, CALM], SEEN, True),
        ([SEEN, SEEN], CALM, False),
        ([SEEN, CALM, CALM], SEEN, False),
        ([chunk(drift(0.15), closed=False)], SEEN, False),
        ([chunk(drift(0.15), rows=99)], SEEN, False),
        ([chunk(drift(0.15, column="y"))], SEEN, False),
        ([chunk(missing(0.5, effect=0.5))], SEEN, False),
        ([chunk(drift(0.15, Method.KOLMOGOROV_SMIRNOV, p_value=0.001))], SEEN, True),
        ([SEEN, SEEN], chunk(drift(0.15), closed=False), False),
        ([SEEN, SEEN], chunk(drift(0.15), rows=99), False),
        ([chunk(missing(0.5, effect=0.5))], chunk(missing(0.5, effect=0.5)), True),
    ],
)
def test_drift_lasts_in_two_of_three_closed_chunks(
    preceding: list[ChunkFacts], present: ChunkFacts, lasts: bool
) -> None:
    assert bool(lasting_drift(ONE_METRIC, present, preceding)) is lasts


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (drift(0.15), "x drifted: Jensen-Shannon distance 0.15 is above its bound 0.12, and it lasts."),
        (
            drift(0.15, Method.KOLMOGOROV_SMIRNOV, p_value=0.0012),
            "x drifted: Kolmogorov-Smirnov distance 0.15 is above its bound 0.12 (p = 0.0012), and it lasts.",
        ),
        (
            drift(70.0, Method.WASSERSTEIN, effect=0.2, bounds=Bounds()),
            "x drifted: Wasserstein distance 70 has an effect of 0.2, above the floor 0.1, and it lasts.",
        ),
        (missing(0.234, effect=0.2), "x is missing in 23.4 % of rows, above its bound 12 %, and it lasts."),
        (
            missing(0.234, effect=0.2, bounds=Bounds()),
            "x is missing in 23.4 % of rows, 20 percentage points more than in the reference, and it lasts.",
        ),
    ],
)
def test_reasons_are_plain_words_with_numbers(result: Result, words: str) -> None:
    facts = chunk(result)
    assert reasons(drift_findings(ONE_METRIC, facts, [facts])) == (words,)


def test_the_same_drift_in_an_open_chunk_is_a_note() -> None:
    (finding,) = drift_findings(ONE_METRIC, chunk(drift(0.15), closed=False), [SEEN])
    assert finding.state is None
    assert finding.reason.endswith("the chunk is still open.")
    assert UPPER.upper == 0.12
