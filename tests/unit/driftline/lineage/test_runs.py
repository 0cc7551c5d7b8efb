"""Runs become events; without a recorder nothing happens."""

from datetime import UTC, datetime

import pytest

from driftline.lineage import runs
from driftline.lineage.datasets import Dataset
from driftline.lineage.runs import MOST_NAMES, RunState
from tests.unit.driftline.lineage.recorders import kept_events

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def test_without_a_recorder_nothing_is_recorded() -> None:
    with runs.run("job"):
        runs.read(Dataset("a"))
        runs.wrote(Dataset("b"))
        runs.note(rows=1)
        runs.note_batch("batch")
        assert runs.current() is None
    runs.record("job", NOW, facts={})
    assert not runs.is_recording()
    assert runs.counts() == {}


def test_a_run_says_what_it_read_and_wrote() -> None:
    with kept_events() as events, runs.run("outer"):
        with runs.run("inner"):
            runs.read(Dataset("a", rows=2))
            runs.wrote(Dataset("b"))
            runs.note(version=3, nothing=None)
            runs.note_batch("one")
            runs.note_batch("two")
        runs.record("past", NOW, outputs=[Dataset("c")], facts={})
    states = [(event.job, event.state) for event in events]
    inner, past = [("inner", RunState.START), ("inner", RunState.COMPLETE)], [("past", RunState.START)]
    assert states == [
        ("outer", RunState.START), *inner, *past, ("past", RunState.COMPLETE), ("outer", RunState.COMPLETE)
    ]  # fmt: skip
    complete = events[2]
    assert (complete.inputs, complete.outputs) == ((Dataset("a", rows=2),), (Dataset("b"),))
    assert complete.facts == {"version": 3, "batches": ["one", "two"]}
    assert complete.run_id == events[1].run_id
    assert {event.parent for event in events[1:5]} == {(events[0].run_id, "outer")}
    assert (events[1].inputs, events[3].at) == ((), NOW)


def test_an_error_is_named_by_its_class_alone() -> None:
    with kept_events() as events, pytest.raises(ValueError, match="a secret"), runs.run("job"):
        raise ValueError("a secret")
    assert [(event.state, event.error) for event in events] == [(RunState.START, None), (RunState.FAIL, "ValueError")]
    assert runs.current() is None


def test_many_names_are_cut() -> None:
    with kept_events() as events, runs.run("job"):
        for number in range(MOST_NAMES + 1_000):
            runs.note_batch(str(number))
    batches = events[-1].facts["batches"]
    assert isinstance(batches, list)
    assert (len(batches), batches[-1]) == (MOST_NAMES + 1, "and 1,000 more")


def test_batches_come_from_the_dataset_that_is_ingested() -> None:
    with runs.ingesting(Dataset("file")):
        assert runs.source() == Dataset("file")
    assert runs.source() is None
