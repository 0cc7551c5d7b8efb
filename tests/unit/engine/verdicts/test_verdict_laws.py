"""What must hold of every verdict, and how often undisturbed chunks alert."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.results import MODEL, Bounds, Method, Metric, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.thresholds.policies import bounds_for
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import TrackRecord
from driftline.engine.verdicts.verdict import LOOKBACK, verdict_of
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk, drift, estimated, missing, realized

FAR, NEAR, FINE = 0.41, 0.45, 0.52
values = st.one_of(st.none(), st.sampled_from([FAR, NEAR, FINE, 0.6]))
distances = st.sampled_from([0.05, 0.11, 0.15, 0.3])


@st.composite
def chunks(draw: st.DrawFn, day: int) -> ChunkFacts:
    """Draw a chunk of a day with some results."""
    rows = draw(st.sampled_from([0, 50, 1000]))
    results = [
        realized(draw(values)),
        estimated(draw(values)),
        drift(draw(distances), column="x"),
        drift(draw(distances), Method.KOLMOGOROV_SMIRNOV, "x", p_value=draw(st.sampled_from([1e-6, 0.2]))),
        drift(draw(distances), column="y"),
        missing(draw(distances), effect=draw(st.sampled_from([0.0, 0.1]))),
    ]
    present = [result for result in results if draw(st.integers(0, 5))]
    closed = draw(st.booleans()) if day == 10 else draw(st.integers(0, 5)) > 0
    labelled = draw(st.sampled_from([rows, rows // 2, 0]))
    return chunk(*present, day=day, closed=closed, labels_due=draw(st.booleans()), rows=rows, labelled=labelled)


histories = st.tuples(*(chunks(day) for day in range(4, 10)))
records = st.builds(lambda n, held: {Metric.F1: TrackRecord(n, min(n, held))}, st.integers(0, 12), st.integers(0, 12))


@given(chunks(10), histories, records)
def test_ok_always_has_decided_realized_performance(
    present: ChunkFacts, past: Sequence[ChunkFacts], record: dict[str, TrackRecord]
) -> None:
    verdict = verdict_of(ONE_METRIC, present, past, record)
    decided = present.performance(ResultKind.REALIZED, Metric.F1)
    if verdict.state is State.OK:
        assert present.closed
        assert present.labels_due
        assert present.coverage >= ONE_METRIC.label_coverage
        assert decided is not None
        assert decided.value is not None
        assert decided.value >= 0.47
    assert verdict.reasons


@given(chunks(10), histories, records)
def test_the_order_in_which_facts_came_is_never_seen(
    present: ChunkFacts, past: Sequence[ChunkFacts], record: dict[str, TrackRecord]
) -> None:
    shuffled = [replace(facts, results=facts.results[::-1]) for facts in reversed(past)]
    other = replace(present, results=present.results[::-1])
    assert verdict_of(ONE_METRIC, other, shuffled, record) == verdict_of(ONE_METRIC, present, past, record)


@given(chunks(10), histories, histories, records)
def test_only_the_last_closed_chunks_are_read(
    present: ChunkFacts, past: Sequence[ChunkFacts], others: Sequence[ChunkFacts], record: dict[str, TrackRecord]
) -> None:
    last = [facts for facts in past if facts.closed][-LOOKBACK:]
    older = [facts for facts in others if last and facts.start < last[0].start] if len(last) == LOOKBACK else []
    expected = verdict_of(ONE_METRIC, present, last, record)
    assert verdict_of(ONE_METRIC, present, [*older, *last], record) == expected
    assert verdict_of(ONE_METRIC, present, past, record) == expected


@given(chunks(10), histories, records)
def test_a_settled_verdict_needs_no_estimate(
    present: ChunkFacts, past: Sequence[ChunkFacts], record: dict[str, TrackRecord]
) -> None:
    decided = present.performance(ResultKind.REALIZED, Metric.F1)
    if present.is_decided(ONE_METRIC) and decided is not None and decided.value is not None:
        without = replace(present, results=tuple(r for r in present.results if r.kind is not ResultKind.ESTIMATED))
        assert verdict_of(ONE_METRIC, without, past) == verdict_of(ONE_METRIC, present, past, record)


@given(chunks(10), histories, records)
def test_more_of_the_same_labels_leave_a_settled_verdict_alone(
    present: ChunkFacts, past: Sequence[ChunkFacts], record: dict[str, TrackRecord]
) -> None:
    verdict = verdict_of(ONE_METRIC, present, past, record)
    if not verdict.provisional:
        complete = replace(present, labelled=present.rows, labels_due=True)
        assert verdict_of(ONE_METRIC, complete, past, record) == verdict


THREE = Spec(columns=(ColumnSpec(name="x"),))


def _facts(values: Sequence[float], bounds: Sequence[Bounds], day: int) -> ChunkFacts:
    results = (
        Result(MODEL, ResultKind.REALIZED, metric, value, 1000, State.OK, bound)
        for metric, value, bound in zip(THREE.metrics, values, bounds, strict=True)
    )
    return chunk(*results, day=day)


def _states(reference: np.ndarray, analysis: np.ndarray) -> list[State]:
    """The verdicts of chunks whose values (chunk, metric) follow reference chunks of the same three metrics."""
    bounds = [
        bounds_for(THREE, ResultKind.REALIZED, metric, reference[:, i].tolist())
        for i, metric in enumerate(THREE.metrics)
    ]
    facts = [_facts(row, bounds, day) for day, row in enumerate(analysis.tolist())]
    return [verdict_of(THREE, fact, facts[max(0, i - LOOKBACK) : i]).state for i, fact in enumerate(facts)]


@pytest.mark.slow
@pytest.mark.parametrize("reference_chunks", [8, 30])
def test_undisturbed_chunks_alert_in_less_than_one_of_a_hundred(reference_chunks: int) -> None:
    rng = np.random.default_rng(20240101)
    draws = 0.7 + 0.02 * rng.standard_normal((400, reference_chunks + 20, 3))
    states = [state for d in draws for state in _states(d[:reference_chunks], d[reference_chunks:])]
    assert len(states) == 8000
    assert 0 < states.count(State.ALERT) / len(states) < 0.01
    assert states.count(State.OK) / len(states) > 0.9


@pytest.mark.slow
def test_a_step_of_five_deviations_is_found_within_a_chunk() -> None:
    rng = np.random.default_rng(20240102)
    draws = 0.7 + 0.02 * rng.standard_normal((500, 14, 3))
    draws[:, 12:] -= 5 * 0.02
    states = [_states(d[:12], d[12:]) for d in draws]
    assert np.mean([first in (State.WARN, State.ALERT) for first, _ in states]) > 0.99
    assert np.mean([first is State.ALERT for first, _ in states]) > 0.9
    assert np.mean([second is State.ALERT for _, second in states]) > 0.99
