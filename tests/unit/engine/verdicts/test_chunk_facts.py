from dataclasses import replace
from datetime import timedelta

import pytest

from driftline.engine.results import Metric, ResultKind
from driftline.engine.verdicts.chunk_facts import last_closed
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.engine.verdicts.track_record import RECORD_WINDOW
from driftline.errors import InvalidInput
from tests.unit.engine.chunk_builders import ONE_METRIC, ORIGIN, chunk, estimated, realized


def test_a_contradiction_is_refused() -> None:
    with pytest.raises(InvalidInput, match="11 labelled of 10 rows"):
        chunk(rows=10, labelled=11)
    with pytest.raises(InvalidInput, match="start < end"):
        replace(chunk(), end=ORIGIN)


def test_coverage_of_no_rows_is_none_at_all() -> None:
    assert chunk(rows=0).coverage == 0
    assert not chunk(rows=0).is_decided(ONE_METRIC)
    assert chunk(rows=200, labelled=50).coverage == 0.25


def test_performance_returns_results_of_the_model_only() -> None:
    segment = replace(realized(0.1), subject="age < 30")
    facts = chunk(segment, realized(0.5), estimated(0.6), realized(0.7, Metric.ACCURACY))
    assert facts.performance(ResultKind.REALIZED, Metric.F1) == realized(0.5)
    assert facts.performance(ResultKind.ESTIMATED, Metric.F1) == estimated(0.6)
    assert facts.performance(ResultKind.ESTIMATED, Metric.ROC_AUC) is None


def test_only_the_last_chunks_hold_an_index_of_their_results() -> None:
    """Years of hours would hold as much again as their results."""
    chunks = [chunk(realized(0.5), day=day) for day in range(1, 25)]
    verdicts = [verdict for verdict, _ in consecutive_verdicts(ONE_METRIC, None, chunks)]
    indexed = [facts.start for facts in chunks if {"_by_kind", "_by_metric"} & vars(facts).keys()]
    assert indexed == [facts.start for facts in chunks[-RECORD_WINDOW:]]
    assert [verdict for verdict, _ in consecutive_verdicts(ONE_METRIC, None, chunks)] == verdicts


def test_the_last_closed_chunks_come_oldest_first() -> None:
    chunks = [chunk(day=day, closed=day != 3) for day in (4, 1, 3, 2, 5)]
    recent = last_closed(chunks, ORIGIN + timedelta(days=5), 2)
    assert recent == (chunk(day=2), chunk(day=4))
    assert last_closed(chunks, ORIGIN, 2) == ()
