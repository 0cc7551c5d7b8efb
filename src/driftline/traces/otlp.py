"""Records spans with OpenTelemetry, and sends them to a collector in the background."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Thread

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from driftline.spans import MOST_LINKS, TRACEPARENT, Attributes, Span, SpanKind
from driftline.traces.settings import TraceSettings
from driftline.version import __version__

SEND_SECONDS = 5.0
"""How long sending some spans may take, and how long the end of the process waits for the last ones."""
LONGEST_ATTRIBUTE = 2_000
"""How many characters of an attribute are sent; a statement may be longer."""
RESOURCE = {"service.namespace": "driftline", "service.version": __version__}
_PROPAGATOR = TraceContextTextMapPropagator()


class OtlpRecorder:
    """The recorder of a process that sends to the address of the settings."""

    def __init__(self, settings: TraceSettings, service: str) -> None:
        """Start the thread that sends; nothing is connected before the first spans end."""
        logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # not for each attempt
        self._exporter = OTLPSpanExporter(settings.url, headers=settings.header_values, timeout=SEND_SECONDS)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.share)),
            resource=Resource.create({**RESOURCE, "service.name": f"driftline-{service}"}),
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_span_attribute_length=LONGEST_ATTRIBUTE, max_links=MOST_LINKS),
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("driftline", __version__)

    @contextmanager
    def span(self, name: str, kind: SpanKind, parent: str | None, attributes: Attributes) -> Iterator[Span]:
        """Open a span until the context ends; an error that leaves it is named by its class."""
        with self._tracer.start_as_current_span(
            name,
            context=_context(parent),
            kind=trace.SpanKind[kind.name],
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            recorded = _OpenTelemetrySpan(opened)
            try:
                yield recorded
            except Exception as error:
                recorded.fail(type(error).__name__)
                raise

    def begin(self, name: str, kind: SpanKind, attributes: Attributes) -> Span:
        """Begin a span without opening it."""
        return _OpenTelemetrySpan(self._tracer.start_span(name, kind=trace.SpanKind[kind.name], attributes=attributes))

    def link(self, traceparents: Iterable[str | None]) -> None:
        """Let the open span name other traces."""
        distinct = dict.fromkeys(traceparent for traceparent in traceparents if traceparent)
        for traceparent in islice(distinct, MOST_LINKS):
            context = _context(traceparent)
            if context is not None:
                trace.get_current_span().add_link(trace.get_current_span(context).get_span_context())

    def traceparent(self) -> str | None:
        """Return the open span as a text."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get(TRACEPARENT)

    def close(self) -> None:
        """Send what was recorded, and stop the thread; what is not sent in time is dropped."""
        closing = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(SEND_SECONDS)
        if closing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it ends the attempts


class _OpenTelemetrySpan:
    """A span of the library."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        """Mark the span as failed."""
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """End the span."""
        self._span.end()


def _context(traceparent: str | None) -> Context | None:
    """Return the context of a text; None, which is the context of this thread, for none or an invalid one."""
    if traceparent is None:
        return None
    context = _PROPAGATOR.extract({TRACEPARENT: traceparent}, Context())
    return context if trace.get_current_span(context).get_span_context().is_valid else None
