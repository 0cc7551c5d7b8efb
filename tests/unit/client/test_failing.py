"""A fault of the network, the monitor or a single file delays rows, and neither loses nor doubles any."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.client import MonitorClient
from driftline.client.batches.batch_file import BatchStage
from tests.unit.client.flushing import flushed
from tests.unit.client.receiver import Receiver, Reply, answer, cut, half_an_answer, late, refusal
from tests.waiting import wait_until

MakeClient = Callable[..., MonitorClient]

FAULTS: dict[str, Reply] = {
    "500": refusal(500, "driftline_error"),
    "429": refusal(429, "too_many_requests"),
    "503": refusal(503, "database_unavailable", Retry_After="0"),
    "401": refusal(401, "unauthorized"),
    "404": refusal(404, "not_found"),
    "redirect": answer(302, b"", {"Location": "http://127.0.0.1:9/"}),
    "a proxy's page": answer(200, b"<html>Sign in</html>"),
    "half a page": answer(200, b'{"rows": 1'),
    "cut": cut,
    "half an answer": half_an_answer,
    "late": late(0.2),
}


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["before it is stored", "after it is stored"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_neither_loses_nor_doubles_rows(
    fault: Reply, lost: bool, receiver: Receiver, make_client: MakeClient
) -> None:
    (receiver.losses if lost else receiver.faults).extend([fault, fault])
    client = make_client(timeout=0.1 if fault is FAULTS["late"] else 5.0)
    for number in range(5):
        client.log({"amount": number}, 1, id=number)
    assert client.flush(0) is False
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(5)}
    assert len({request.headers["Idempotency-Key"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == 3


@pytest.mark.slow
def test_a_wait_that_the_monitor_asks_for_is_kept(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.faults.append(refusal(503, "ingest_busy", Retry_After="1"))
    client = make_client()
    client.log({}, 1)
    begun = time.monotonic()
    assert flushed(client)
    assert time.monotonic() - begun > 0.9
    assert len(receiver.requests) == 2


def test_rows_wait_while_nobody_listens(tmp_path: Path, receiver: Receiver, make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    away = MonitorClient(f"http://127.0.0.1:{port}", "churn", spool=tmp_path / "spool", batch_seconds=0.02)
    for number in range(10):
        away.log({}, 1, id=number)
    assert away.close(0.3) is False
    assert "does not answer" in str(away.status().last_error)
    assert away.status().waiting_batches > 0
    assert make_client().flush(5)
    assert receiver.ids == {str(number): 1 for number in range(10)}


@pytest.mark.slow
def test_batches_grow_while_the_monitor_is_away(tmp_path: Path, receiver: Receiver, make_client: MakeClient) -> None:
    receiver.faults.append(refusal(503, "ingest_busy", Retry_After="1"))
    client = make_client(batch_seconds=0.01)
    client.log({}, 1)
    for _ in range(30):
        client.log({}, 1)
        time.sleep(0.01)
    assert client.status().waiting_batches <= 2
    assert flushed(client)
    assert len(receiver.rows) == 31


FAILURES: dict[str, Reply] = {
    "500": refusal(500, "driftline_error"),
    "a proxy's 502": answer(502, b"<html>Bad gateway</html>"),
    "a proxy's 403": answer(403, b"<html>Forbidden</html>"),
    "cut": cut,
    "half an answer": half_an_answer,
}


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_batch_on_which_the_monitor_fails_does_not_keep_the_others(
    failure: Reply, receiver: Receiver, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.failure = failure
    receiver.fails = lambda row: row["id"] == "0"
    client = make_client(batch_rows=1)
    for number in range(5):
        client.log({}, 1, id=number)
        client.flush(0.1)
    assert flushed(client, 1) is False
    assert receiver.ids == {str(number): 1 for number in range(1, 5)}
    assert (client.status().waiting_batches, client.status().failing_batches) == (1, 1)
    assert caplog.text.count("it is tried again, after all others") == 1
    receiver.fails = lambda _: False
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(5)}
    assert client.status().failing_batches == 0


@pytest.mark.slow
def test_a_failing_batch_does_not_delay_later_ones(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.fails = lambda row: row["id"] == "0"
    client = make_client(batch_rows=1)
    client.log({}, 1, id=0)
    for _ in range(8):  # waits of up to a minute from now on
        client.flush(0.1)
    begun = time.monotonic()
    client.log({}, 1, id=1)
    while "1" not in receiver.ids and time.monotonic() < begun + 5:
        time.sleep(0.01)
    assert receiver.ids == {"1": 1}
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("stage", BatchStage)
def test_a_file_that_cannot_be_read_does_not_keep_the_others(
    stage: BatchStage, receiver: Receiver, make_client: MakeClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    unreadable = tmp_path / "spool" / "churn" / f"0-0.predictions.ndjson.{stage}"
    unreadable.mkdir()
    os.utime(unreadable, (0, 0))
    for number in range(3):
        client.log({}, 1, id=number)
        client.flush(0.1)
    wait_until(lambda: receiver.ids == {str(number): 1 for number in range(3)}, 10)
    if stage is not BatchStage.NEW:
        wait_until(lambda: client.status().failing_batches == 1, 10)
        assert caplog.text.count(f"{unreadable} stays: it cannot be read or moved") == 1
        unreadable.rmdir()
    assert flushed(client)
    assert client.status().failing_batches == 0
