"""Without a recorder spans are nothing, and statements carry no values."""

import time

import pytest

from driftline import spans
from driftline.publishing.publisher import Publication
from driftline.spans import SpanKind
from driftline.store.statement_spans import LONGEST_STATEMENT, without_values
from driftline.traces import otlp
from driftline.traces.settings import TraceSettings
from driftline.traces.start import traced


def test_without_a_recorder_nothing_is_recorded() -> None:
    with spans.span("work") as span, spans.continue_traces("more", SpanKind.CONSUMER, ["a", "b"]):
        span.set({"rows": 1})
        span.fail("Error")
        assert spans.traceparent() is None
    spans.begin("statement", SpanKind.CLIENT, {}).end()
    assert not spans.is_recording()


@pytest.mark.slow
def test_a_collector_that_is_away_does_not_delay_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "SEND_SECONDS", 0.2)
    with traced("monitor", TraceSettings(address="http://127.0.0.1:9")):
        for _ in range(2_000):
            with spans.span("work"):
                pass
        began = time.monotonic()
    assert time.monotonic() - began < 10  # four parcels, each tried for seconds


def test_messages_name_a_trace_only_where_there_is_one() -> None:
    for traceparent, names in (
        (None, ["batch_id", "schema_version"]),
        ("t", ["batch_id", "schema_version", "traceparent"]),
    ):
        with Publication("a", "{}", (), traceparent=traceparent).sending("topic") as headers:
            assert [name for name, _ in headers] == names


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT a FROM b WHERE c = %(c)s", "SELECT a FROM b WHERE c = %(c)s"),
        ("SELECT 'x', 'it''s', 'a\\'b' FROM b", "SELECT ?, ?, ? FROM b"),
        (
            "LOAD DATA LOCAL INFILE '/tmp/file' INTO TABLE b SET c = 'x",
            "LOAD DATA LOCAL INFILE ? INTO TABLE b SET c = ?",
        ),
    ],
)
def test_a_statement_is_shown_without_its_texts(statement: str, shown: str) -> None:
    assert without_values(statement) == shown


def test_a_long_statement_is_cut_and_its_last_text_is_not_shown() -> None:
    statement = f"SELECT {'a, ' * 600}'{'secret' * 2_000}'"
    assert len(without_values(statement)) <= LONGEST_STATEMENT
    assert "secret" not in without_values(statement)
