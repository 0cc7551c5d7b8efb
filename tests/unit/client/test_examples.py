"""The examples of the how-to page run as they are written."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from driftline.client import MonitorClient
from tests.unit.client.receiver import Receiver, refusal
from tests.unit.docs.pages import DOCS, fenced

PAGE = DOCS / "how-to" / "send-predictions.md"


@pytest.fixture
def run_example(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the example that contains a text, with the receiver as its monitor."""
    monkeypatch.chdir(tmp_path)

    def run(text: str) -> dict[str, Any]:
        [code] = [block for block in fenced(PAGE, "python") if text in block]
        assert "http://127.0.0.1:5001" in code
        namespace: dict[str, Any] = {"__name__": "example"}
        exec(compile(code.replace("http://127.0.0.1:5001", receiver.url), PAGE.name, "exec"), namespace)  # noqa: S102  # our own page
        return namespace

    return run


def test_the_flask_application_logs_what_it_answers(run_example: Any, receiver: Receiver) -> None:
    example = run_example("Flask(__name__)")
    browser = example["app"].test_client()
    answers = [browser.post("/predict", json={"calls": calls}).get_json() for calls in (2, 17)]
    assert browser.post("/predict", json={"calls": 1, "list": [1]}).status_code == 200
    assert example["monitor"].close()
    assert example["monitor"].status().dropped == 1
    assert [(row["id"], row["prediction"], row["score"], row["features"]) for row in receiver.rows] == [
        (answers[0]["id"], 1, 0.9, {"calls": 2}),
        (answers[1]["id"], 0, 0.2, {"calls": 17}),
    ]


@pytest.mark.slow
def test_the_fastapi_application_logs_what_it_answers(run_example: Any, receiver: Receiver) -> None:
    pytest.importorskip("fastapi", reason="FastAPI is not installed; run `make setup`")
    example = run_example("FastAPI()")
    answers = [posted(example["app"], "/predict", {"calls": calls}) for calls in (2, 17)]
    assert example["monitor"].close()
    assert [(row["id"], row["prediction"], row["score"], row["features"]) for row in receiver.rows] == [
        (answers[0]["id"], 1, 0.9, {"calls": 2}),
        (answers[1]["id"], 0, 0.2, {"calls": 17}),
    ]


def posted(app: Any, path: str, content: object) -> Any:
    """Return what an ASGI application answers to JSON; it needs neither a server nor an HTTP client."""
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(content).encode()}

    async def send(message: dict[str, Any]) -> None:
        nonlocal body
        body += message.get("body", b"")

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(app(scope, receive, send))
    return json.loads(body)


def test_labels_are_sent(run_example: Any, receiver: Receiver) -> None:
    run_example("log_labels")
    assert [(row["id"], row["label"], row["known_at"]) for row in receiver.rows] == [
        ("a-17", 1, "2026-02-03T00:00:00+00:00"),
        ("a-18", 0, "2026-02-03T00:00:00+00:00"),
    ]


@pytest.mark.slow
def test_the_batch_job_can_be_repeated(run_example: Any, receiver: Receiver) -> None:
    receiver.faults.append(refusal(503, "busy", Retry_After="0"))
    run_example("log_frame")
    assert [(row["id"], row["probability_1"], row["calls"]) for row in receiver.rows] == [
        ("a-17", 0.9, 2),
        ("a-18", 0.2, 17),
    ]


def test_the_batch_job_fails_where_the_monitor_refuses_a_row(run_example: Any, receiver: Receiver) -> None:
    receiver.refuses = lambda row: row["id"] == "a-18"
    with pytest.raises(SystemExit, match="The monitor refuses 1 parts of it; the reasons are in") as end:
        run_example("log_frame")
    assert end.value.code not in (None, 0)
    assert receiver.ids == {"a-17": 1}
    receiver.refuses = lambda _: False
    run_example("log_frame")  # what was refused before does not count
    assert receiver.ids["a-18"] == 1


def test_the_page_has_no_other_example() -> None:
    assert len(fenced(PAGE, "python")) == 4


def test_the_page_lists_the_counts_of_the_status() -> None:
    line = re.search(r"has counts: (.*)\. The client", PAGE.read_text(), re.DOTALL)
    assert line
    assert re.findall(r"`(\w+)`", line[1]) == [*MonitorClient.status.__annotations__["return"].__dataclass_fields__]
