"""Runs of jobs: what they read and wrote, and with which versions. Until `record_with` is called, none is recorded.

This module imports no library of OpenLineage, so that a program without lineage needs none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid4

from driftline.clock import utc_now
from driftline.lineage.datasets import Dataset

Fact = str | int | float | bool | Sequence[str]
MOST_NAMES = 100
"""How many names a fact has at most, such as those of batches."""


class RunState(StrEnum):
    """What happened to a run, by the names of OpenLineage."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"


@dataclass(eq=False)
class Run:
    """A run of a job that goes on.

    Attributes:
        job: the name of its job.
        parent: the run that it is a part of.
        inputs, outputs: the datasets that it read and wrote so far.
        facts: versions, names of batches and counts; neither secrets nor values of rows.
    """

    job: str
    parent: "Run | None" = None
    id: UUID = field(default_factory=uuid4)
    inputs: list[Dataset] = field(default_factory=list)
    outputs: list[Dataset] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What happened to a run at an instant; `error` names the class of the error that ended it."""

    state: RunState
    at: datetime
    run_id: UUID
    job: str
    parent: tuple[UUID, str] | None
    inputs: tuple[Dataset, ...]
    outputs: tuple[Dataset, ...]
    facts: Mapping[str, Fact]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How many events of this process were delivered, and how many were lost."""

    delivered: int
    lost: int


class Recorder(Protocol):
    """Takes events without waiting and without failing."""

    def add(self, event: RunEvent) -> None:
        """Take an event."""

    def counts(self) -> Mapping[str, EventCounts]:
        """Return what became of the events by receiver."""


_recorder: Recorder | None = None
_current: ContextVar[Run | None] = ContextVar("lineage_run", default=None)
_source: ContextVar[Dataset | None] = ContextVar("lineage_source", default=None)


def record_with(recorder: Recorder | None) -> None:
    """Record the runs of this process, or none of them any more."""
    global _recorder  # noqa: PLW0603  (one for the process, as the configuration of the log is)
    _recorder = recorder


def is_recording() -> bool:
    """Return whether runs are recorded."""
    return _recorder is not None


def counts() -> Mapping[str, EventCounts]:
    """Return what became of the events of this process by receiver; nothing where none are recorded."""
    return {} if _recorder is None else _recorder.counts()


def current() -> Run | None:
    """Return the run that is open; None where there is none, or none is recorded."""
    return _current.get()


@contextmanager
def run(job: str, *, parent: Run | None = None) -> Iterator[None]:
    """Open a run of a job until the context ends, as a part of `parent` or else of the run that is open.

    An error that leaves it is named by its class: its text may hold values of rows.
    """
    if _recorder is None:
        yield
        return
    opened = Run(job, parent or _current.get())
    _add(opened, RunState.START, utc_now())
    token = _current.set(opened)
    try:
        yield
    except BaseException as error:
        _add(opened, RunState.FAIL, utc_now(), type(error).__name__)
        raise
    else:
        _add(opened, RunState.COMPLETE, utc_now())
    finally:
        _current.reset(token)


@contextmanager
def ingesting(source: Dataset) -> Iterator[None]:
    """Let the batches that are stored until the context ends come from a dataset."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def source() -> Dataset | None:
    """Return the dataset that batches come from; None where the sender does not name it, as over HTTP."""
    return _source.get()


def read(*datasets: Dataset) -> None:
    """Add datasets that the open run reads."""
    if opened := _current.get():
        opened.inputs += datasets


def wrote(*datasets: Dataset) -> None:
    """Add datasets that the open run wrote."""
    if opened := _current.get():
        opened.outputs += datasets


def note(**facts: Fact | None) -> None:
    """Add facts of the open run; None is no fact."""
    if opened := _current.get():
        opened.facts |= _facts(facts)


def note_batch(batch_id: str) -> None:
    """Add a batch that the open run stored to its facts."""
    if opened := _current.get():
        batches = opened.facts.setdefault("batches", [])
        if isinstance(batches, list):
            batches.append(batch_id)


def record(
    job: str,
    began: datetime,
    *,
    inputs: Iterable[Dataset] = (),
    outputs: Iterable[Dataset] = (),
    facts: Mapping[str, Fact | None],
    error: str | None = None,
) -> None:
    """Record a run that has already ended, as a part of the run that is open; `error` is the class of its error."""
    if _recorder is not None:
        past = Run(job, _current.get(), inputs=[*inputs], outputs=[*outputs], facts=_facts(facts))
        _add(past, RunState.START, began)
        _add(past, RunState.FAIL if error else RunState.COMPLETE, max(began, utc_now()), error)


def _facts(facts: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """Return the facts that have a value."""
    return {name: fact for name, fact in facts.items() if fact is not None}


def _limited(value: Fact) -> Fact:
    """Return a fact with at most `MOST_NAMES` names."""
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) <= MOST_NAMES:
        return value
    return [*value[:MOST_NAMES], f"and {len(value) - MOST_NAMES:,} more"]


def _add(run: Run, state: RunState, at: datetime, error: str | None = None) -> None:
    """Hand an event of a run, as it is now, to the recorder."""
    if _recorder is not None:
        parent = None if run.parent is None else (run.parent.id, run.parent.job)
        datasets = tuple(run.inputs), tuple(run.outputs)
        facts = {name: _limited(fact) for name, fact in run.facts.items()}
        _recorder.add(RunEvent(state, at, run.id, run.job, parent, *datasets, facts, error))
