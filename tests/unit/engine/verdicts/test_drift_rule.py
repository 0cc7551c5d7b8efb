import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from driftline.engine.catalogue import measure
from driftline.engine.results import MODEL, Bounds, Method, Result, ResultKind, State
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.drift_rule import discoveries, drift_findings, drift_of, drift_reasons
from driftline.engine.verdicts.findings import reasons
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.chunk_builders import ONE_METRIC, UPPER, chunk, drift, missing, realized

NARROW = Bounds(upper=0.02, alert_upper=0.03)
DRIFTED, CALM = chunk(drift(0.15)), chunk(drift(0.05))


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
        (drift(0.15, Method.HELLINGER, effect=0.15), True),
        (drift(0.09, Method.L_INFINITY, effect=0.09, bounds=NARROW), False),
        (drift(0.19, Method.PSI, effect=0.19, bounds=NARROW), False),
        (drift(0.21, Method.PSI, effect=0.21), True),
        (missing(0.2, effect=0.06), True),
        (missing(0.2, effect=0.05), False),
        (missing(0.1, effect=0.06), False),
        (missing(0.1, effect=0.06, bounds=Bounds()), True),
    ],
)
def test_drift_is_outside_its_bound_and_above_its_floor(result: Result, drifted: bool) -> None:
    assert set(drift_reasons(ONE_METRIC, chunk(result))) == (
        {(result.kind, "x", result.method if result.kind is ResultKind.QUALITY else "")} if drifted else set()
    )


def test_an_insignificant_column_has_no_drift_by_any_method() -> None:
    tested = drift(0.11, Method.KOLMOGOROV_SMIRNOV, p_value=0.3)
    assert drift_reasons(ONE_METRIC, chunk(drift(0.15), tested)) == {}
    assert len(drift_reasons(ONE_METRIC, chunk(drift(0.15), drift(0.15, column="y"), tested))) == 1


def test_the_false_discovery_rate_is_held_over_the_columns() -> None:
    suspect = drift(0.15, Method.KOLMOGOROV_SMIRNOV, "a", p_value=0.04)
    others = [drift(0.01, Method.KOLMOGOROV_SMIRNOV, f"c{i}", p_value=0.5) for i in range(9)]
    assert set(drift_reasons(ONE_METRIC, chunk(suspect))) == {(ResultKind.DRIFT, "a", "")}
    assert drift_reasons(ONE_METRIC, chunk(suspect, *others)) == {}


@given(st.lists(st.floats(0, 1), max_size=30))
def test_discoveries_are_those_of_scipy(p_values: list[float]) -> None:
    adjusted = false_discovery_control(p_values) if p_values else np.array([])
    for discovered, value in zip(discoveries(p_values), adjusted, strict=True):
        assert discovered == (value <= 0.05) or np.isclose(value, 0.05, rtol=1e-12)


def test_no_discoveries_without_tests() -> None:
    assert discoveries([]) == ()
    assert discoveries([0.05]) == (True,)
    assert discoveries([0.050001]) == (False,)
    assert discoveries([0.03, 0.04]) == (True, True)


@pytest.mark.parametrize(
    ("preceding", "present", "lasts"),
    [
        ([], DRIFTED, False),
        ([CALM, CALM], DRIFTED, False),
        ([CALM, DRIFTED], DRIFTED, True),
        ([DRIFTED, CALM], DRIFTED, True),
        ([DRIFTED, DRIFTED], CALM, False),
        ([DRIFTED, CALM, CALM], DRIFTED, False),
        ([chunk(drift(0.15), closed=False)], DRIFTED, False),
        ([chunk(drift(0.15), rows=99)], DRIFTED, False),
        ([chunk(drift(0.15, column="y"))], DRIFTED, False),
        ([chunk(missing(0.5, effect=0.5))], DRIFTED, False),
        ([chunk(drift(0.15, Method.KOLMOGOROV_SMIRNOV, p_value=0.001))], DRIFTED, True),
        ([DRIFTED, DRIFTED], chunk(drift(0.15), closed=False), False),
        ([DRIFTED, DRIFTED], chunk(drift(0.15), rows=99), False),
        ([chunk(missing(0.5, effect=0.5))], chunk(missing(0.5, effect=0.5)), True),
    ],
)
def test_drift_lasts_in_two_of_three_closed_chunks(
    preceding: list[ChunkFacts], present: ChunkFacts, lasts: bool
) -> None:
    assert bool(drift_of(ONE_METRIC, present, preceding).lasting) is lasts


@pytest.mark.parametrize(
    ("present", "state"),
    [
        (chunk(missing(0.81, effect=0.8)), State.ALERT),
        (chunk(missing(0.5, effect=0.5)), State.ALERT),
        (chunk(missing(0.5, effect=0.49)), None),
        (chunk(missing(0.9, effect=0.8, bounds=Bounds(upper=0.95))), None),
        (chunk(missing(0.8, effect=0.8), closed=False), None),
        (chunk(missing(0.8, effect=0.8), rows=99), None),
    ],
)
def test_a_column_that_half_of_the_rows_have_lost_alerts_at_once(present: ChunkFacts, state: State | None) -> None:
    observed = drift_of(ONE_METRIC, present, [])
    findings = drift_findings(ONE_METRIC, present, observed)
    assert [finding.state for finding in findings] in ([state], [])
    assert bool(observed.lost) is (state is State.ALERT)
    reason = "; half of the rows or more do not lose a column by chance."
    assert [finding.reason.endswith(reason) for finding in findings if finding.state is State.ALERT] in ([True], [])
    by_nannyml = ONE_METRIC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML})
    assert not drift_of(by_nannyml, present, []).lost


BAND = Bounds(lower=0.9, upper=1.1, alert_lower=0.8, alert_upper=1.2)


def _together(value: float, method: Method = Method.PCA_RECONSTRUCTION, effect: float | None = None) -> Result:
    bounds = BAND if method is Method.PCA_RECONSTRUCTION else measure(method).fixed_bounds or Bounds()
    return Result(MODEL, ResultKind.MULTIVARIATE, method, value, 1000, State.OK, bounds, effect=effect)


@pytest.mark.parametrize(
    ("result", "drifted"),
    [
        (_together(1.0), False),
        (_together(1.11), True),
        (_together(0.89), True),
        (_together(0.64, Method.DOMAIN_CLASSIFIER, effect=0.14), False),
        (_together(0.66, Method.DOMAIN_CLASSIFIER, effect=0.16), True),
        (_together(0.3, Method.DOMAIN_CLASSIFIER, effect=-0.2), False),
    ],
)
def test_multivariate_drift_needs_no_effect_floor(result: Result, drifted: bool) -> None:
    facts = chunk(result)
    assert set(drift_reasons(ONE_METRIC, facts)) == ({(ResultKind.MULTIVARIATE, MODEL, "")} if drifted else set())
    assert bool(drift_of(ONE_METRIC, facts, [facts]).lasting) is drifted


def test_all_features_together_are_no_column_that_drifted() -> None:
    facts = chunk(_together(1.2))
    verdict = verdict_of(ONE_METRIC, chunk(_together(1.2), realized(0.5), day=11), [facts])
    assert verdict.state is State.WARN
    assert verdict.drifted == ()
    assert "All features together drifted: PCA reconstruction error 1.2 is above its bound 1.1" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            _together(0.89),
            "All features together drifted: PCA reconstruction error 0.89 is below its bound 0.9, and it lasts.",
        ),
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
    assert reasons(drift_findings(ONE_METRIC, facts, drift_of(ONE_METRIC, facts, [facts]))) == (words,)


def test_the_same_drift_in_an_open_chunk_is_a_note() -> None:
    still_open = chunk(drift(0.15), closed=False)
    (finding,) = drift_findings(ONE_METRIC, still_open, drift_of(ONE_METRIC, still_open, [DRIFTED]))
    assert finding.state is None
    assert finding.reason.endswith("the chunk is still open.")
    assert UPPER.upper == 0.12
