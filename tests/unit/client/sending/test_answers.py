"""An answer of the monitor decides about a batch; an answer of anything else does not."""

import json
from datetime import UTC, datetime

import pytest

from driftline.client.sending.answers import LONGEST_WAIT, Answer, BatchOutcome, read_answer

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(status: int, content: object, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def error(code: str = "invalid_input") -> dict[str, object]:
    return {"error": {"code": code, "message": "Invalid.", "details": ["row 1", "row 2"]}}


def test_the_monitors_own_words_store_a_batch() -> None:
    answer = read(200, {"batch": "a", "rows": 3, "new": 1, "same": 2})
    assert (answer.state, answer.rows) == (BatchOutcome.STORED, 3)


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", b"", b"[]", b'{"rows": "3"}', b'{"rows": 3', b"[" * 9999])
def test_another_success_stores_nothing(content: bytes) -> None:
    answer = read(200, content)
    assert (answer.state, answer.message) == (
        BatchOutcome.RETRY,
        "HTTP 200: the answer is not one of a Driftline monitor",
    )


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refusal_has_its_reasons(status: int) -> None:
    answer = read(status, error())
    assert (answer.state, answer.message, answer.details) == (BatchOutcome.REFUSED, "Invalid.", ("row 1", "row 2"))


def test_a_refusal_names_rows() -> None:
    details = [
        "column 'x' has 1 value that is not a number ('ERR', row 11,996); clean it",
        "column 'y' has no value in 2 rows (the first is row 4); give every row a value",
        "row 7 is 3; send an object with the fields id",
        "line 8 is not valid JSON",
        "column 'x' has 30 values; 12 rows, a row, row x",
    ]
    assert read(400, {"error": {"details": details}}).named_rows == (11_996, 4, 7, 8)


def test_a_refusal_lists_faulty_rows() -> None:
    rows = [
        {"row": 3, "column": "x", "value": "ERR", "cure": "clean it"},
        {"row": 3, "column": "y", "value": None, "cure": "send it"},
        {"row": "4"},
        5,
    ]
    read_rows = read(400, {"error": {"rows": rows, "more_rows": False}})
    assert read_rows.faulty_rows == {3: "row 3, column 'x': 'ERR'; clean it; row 3, column 'y': None; send it"}
    assert (read_rows.more_rows, read(400, error()).more_rows) == (False, True)
    assert read(400, {"error": {"rows": "all"}}).faulty_rows == {}


def test_a_part_of_a_refused_batch_may_be_stored() -> None:
    assert read(400, error()).divisible
    assert read(409, error("prediction_conflict")).divisible
    assert not read(409, error("batch_conflict")).divisible
    assert not read(415, error("unsupported_content")).divisible


def test_a_proxy_refuses_by_size_alone() -> None:
    assert read(400, b"<html>plain HTTP was sent to an HTTPS port</html>").state is BatchOutcome.RETRY
    assert read(413, b"<html>too large</html>").state is BatchOutcome.REFUSED


@pytest.mark.parametrize("status", [201, 204, 301, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504])
def test_what_time_or_a_person_can_cure_is_sent_again(status: int) -> None:
    answer = read(status, error())
    assert (answer.state, answer.message) == (BatchOutcome.RETRY, f"HTTP {status}: Invalid.")


def test_the_content_may_be_why_a_batch_is_not_answered() -> None:
    assert read(500, error()).may_be_content
    assert read(403, b"<html>Forbidden</html>").may_be_content
    assert not read(503, error()).may_be_content
    assert not read(404, error()).may_be_content


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("999999", LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
    ],
)
def test_the_wait_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert read(503, error(), Retry_After=header).wait == seconds
