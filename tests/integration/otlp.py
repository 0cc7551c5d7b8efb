"""A collector of traces: an HTTP server that decodes what an exporter of OpenTelemetry sends (OTLP, protobuf)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from driftline.traces.settings import TraceSettings
from driftline.traces.start import traced
from tests.integration.monitoring.alerts.receivers import ReceivingServer, http_receiver


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as a collector sees it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    links: tuple[str, ...]
    has_failed: bool


@dataclass(frozen=True)
class Collector:
    """What a collector has received."""

    receiver: ReceivingServer

    @property
    def spans(self) -> list[ReceivedSpan]:
        return [span for post in self.receiver.posts for span in _decoded(post.body)]

    def named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]

    def path(self, span: ReceivedSpan) -> list[str]:
        """Return the names of the spans above a span and its own, the outermost first."""
        by_id = {each.id: each for each in self.spans}
        names = [span.name]
        while span.parent in by_id:
            span = by_id[span.parent]
            names.insert(0, span.name)
        return names


@contextmanager
def collected(service: str, headers: str | None = None) -> Iterator[Collector]:
    """Record the spans of this process; the collector has all of them after the context ends."""
    with http_receiver() as receiver:
        settings = TraceSettings.model_validate({"address": receiver.url(), "headers": headers})
        collector = Collector(receiver)
        with traced(service, settings):
            yield collector


def _decoded(body: bytes) -> Iterator[ReceivedSpan]:
    """Yield the spans of an export request."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(
            entry.value.string_value for entry in resource.resource.attributes if entry.key == "service.name"
        )
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield ReceivedSpan(
                service,
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                {entry.key: entry.value.string_value or str(entry.value.int_value) for entry in span.attributes},
                tuple(link.trace_id.hex() for link in span.links),
                span.status.code == span.status.STATUS_CODE_ERROR,
            )
