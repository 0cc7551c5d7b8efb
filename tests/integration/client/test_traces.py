"""Batches of the client go on with the traces in which their rows were logged."""

from pathlib import Path

from driftline import spans
from driftline.client import MonitorClient
from tests.integration.otlp import Collector, ReceivedSpan, collected
from tests.unit.client.flushing import flushed
from tests.unit.client.receiver import Receiver, refusal


def traced_rows(receiver: Receiver, spool: Path, batches: list[int], requests: int) -> Collector:
    """Return what a program sent that logs batches of some rows, each row in a request with a trace of its own."""
    with collected("program") as collector:
        client = MonitorClient(receiver.url, "churn", spool=spool, batch_seconds=60)
        for batch in batches:
            for number in range(requests):
                with spans.span("request"):
                    client.log({"minutes": 1.0}, 1, 0.5, f"{batch}-{number}")
            assert flushed(client)
        client.close()
    return collector


def sent(collector: Collector) -> list[ReceivedSpan]:
    return collector.named("send batch")


def test_a_batch_of_one_request_continues_its_trace(tmp_path: Path) -> None:
    with Receiver() as receiver:
        collector = traced_rows(receiver, tmp_path, [1, 2], 1)
    requests = collector.named("request")
    assert [span.trace for span in sent(collector)] == [span.trace for span in requests]
    assert [span.parent for span in sent(collector)] == [span.id for span in requests]
    headers = [request.headers["traceparent"].split("-")[1:3] for request in receiver.requests]
    assert headers == [[span.trace, span.id] for span in sent(collector)]


def test_a_batch_of_several_requests_names_their_traces(tmp_path: Path) -> None:
    with Receiver() as receiver:
        receiver.faults.append(refusal(503, "unavailable"))
        collector = traced_rows(receiver, tmp_path, [1], 3)
    failed, stored = sent(collector)
    assert failed.has_failed and not stored.has_failed
    assert failed.attributes["error.type"] == "retry"
    traces = tuple(span.trace for span in collector.named("request"))
    assert failed.links == stored.links == traces
    assert stored.trace not in traces


def test_without_traces_no_header_is_sent(tmp_path: Path) -> None:
    with Receiver() as receiver, MonitorClient(receiver.url, "churn", spool=tmp_path) as client:
        client.log({"minutes": 1.0}, 1, 0.5, "a")
        assert flushed(client)
    assert [request.headers.get("traceparent") for request in receiver.requests] == [None]
