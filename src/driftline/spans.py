"""Spans: what a program works on, from when to when. Until `record_with` is called, they are not recorded.

A trace goes on in another thread, process or message under its `traceparent`, a text (W3C Trace Context). This module
imports no library of OpenTelemetry, so that a program without traces needs none.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum, auto
from typing import Protocol

Attributes = Mapping[str, str | int | float]
TRACEPARENT = "traceparent"
"""The name of the header that carries a trace, in HTTP and in Kafka."""
MOST_LINKS = 32
"""How many other traces a span names at most."""


class SpanKind(Enum):
    """On which side of a call a span is, by the names of OpenTelemetry."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()
    PRODUCER = auto()
    CONSUMER = auto()


class Span(Protocol):
    """A span that is open."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes. They must hold neither secrets nor values of rows."""

    def fail(self, error_type: str) -> None:
        """Mark the span as failed, by the name or code of the error: its text may hold values of rows."""

    def end(self) -> None:
        """End a span that `begin` began."""


class SpanRecorder(Protocol):
    """Records spans."""

    def span(
        self, name: str, kind: SpanKind, parent: str | None, attributes: Attributes
    ) -> AbstractContextManager[Span]:
        """Open a span until the context ends, below `parent` or else below the span that is open."""

    def begin(self, name: str, kind: SpanKind, attributes: Attributes) -> Span:
        """Begin a span below the open one without opening it; its `end` ends it."""

    def link(self, traceparents: Iterable[str | None]) -> None:
        """Let the open span name other traces that led to its work, the first `MOST_LINKS` of them."""

    def traceparent(self) -> str | None:
        """Return the open span as a text."""


class _NoSpan:
    """A span where nothing is recorded."""

    def set(self, attributes: Attributes) -> None:
        """Add nothing."""

    def fail(self, error_type: str) -> None:
        """Mark nothing."""

    def end(self) -> None:
        """End nothing."""


_NO_SPAN = _NoSpan()
_recorder: SpanRecorder | None = None


def record_with(recorder: SpanRecorder | None) -> None:
    """Record the spans of this process, or none of them any more."""
    global _recorder  # noqa: PLW0603  (one for the process, as the configuration of the log is)
    _recorder = recorder


def is_recording() -> bool:
    """Return whether spans are recorded; what is to be watched asks once, when it is made."""
    return _recorder is not None


def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, parent: str | None = None, attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """Open a span until the context ends: below `parent`, else below the open one, else as the root of a trace."""
    if _recorder is None:
        return nullcontext(_NO_SPAN)
    return _recorder.span(name, kind, parent, attributes or {})


def begin(name: str, kind: SpanKind, attributes: Attributes) -> Span:
    """Begin a span below the open one, to end it by its `end`; spans that follow are not below it."""
    return _NO_SPAN if _recorder is None else _recorder.begin(name, kind, attributes)


@contextmanager
def continue_traces(
    name: str, kind: SpanKind, traceparents: Iterable[str | None], attributes: Attributes | None = None
) -> Iterator[Span]:
    """Open a span for work that traces led to: it continues the trace where there is one, and names several."""
    traces = [*dict.fromkeys(traceparent for traceparent in traceparents if traceparent)]
    with span(name, kind, parent=traces[0] if len(traces) == 1 else None, attributes=attributes) as opened:
        if len(traces) > 1:
            link(traces)
        yield opened


def link(traceparents: Iterable[str | None]) -> None:
    """Let the open span name other traces that led to its work."""
    if _recorder is not None:
        _recorder.link(traceparents)


def traceparent() -> str | None:
    """Return the open span as a text by which its trace goes on elsewhere; None where nothing is recorded."""
    return None if _recorder is None else _recorder.traceparent()
