"""What is logged arrives once, whatever the network and the monitor do."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from driftline.client import ClientClosed, Monitor, MonitorClient, SpoolFull
from driftline.client.batches.batch_file import RowKind
from driftline.errors import InvalidInput
from tests.unit.client.flushing import flushed
from tests.unit.client.receiver import Receiver, refusal

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MakeClient = Callable[..., MonitorClient]


def test_the_documented_name_is_the_class() -> None:
    assert Monitor is MonitorClient


def test_predictions_and_labels_arrive_as_they_were_logged(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client(token="dl_1", version=3)
    assert client.log({"amount": 12.5}, 1, 0.83, "a-17", NOON) == "a-17"
    assert client.log_labels({"a-17": np.int64(1)}, known_at=NOON) == 1
    assert client.flush(5)
    predictions, labels = sorted(receiver.requests, key=lambda request: request.path, reverse=True)
    assert predictions.path == "/api/v1/models/churn/predictions?version=3"
    assert predictions.headers["Authorization"] == "Bearer dl_1"
    assert predictions.rows == [
        {"id": "a-17", "at": NOON.isoformat(), "prediction": 1, "score": 0.83, "features": {"amount": 12.5}}
    ]
    assert (labels.path, labels.rows) == (
        "/api/v1/models/churn/labels?version=3",
        [{"id": "a-17", "label": 1, "known_at": NOON.isoformat()}],
    )


def test_an_id_is_made_where_none_is_passed(receiver: Receiver, make_client: MakeClient) -> None:
    clients = [make_client(), make_client()]
    ids = [client.log({}, 1) for client in clients for _ in range(100)]
    assert all(client.flush(5) for client in clients)
    assert len(set(ids)) == 200
    assert receiver.ids == dict.fromkeys(ids, 1)


def test_the_status_counts(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client()
    for number in range(3):
        client.log({}, 1, id=number)
    with pytest.raises(InvalidInput):
        client.log({}, None)
    assert client.flush(5)
    status = client.status()
    assert (status.logged, status.dropped, status.sent, status.waiting_batches, status.waiting_bytes) == (3, 1, 3, 0, 0)
    assert (status.refused_batches, status.last_error) == (0, None)
    assert status.last_sent_at is not None


def test_a_batch_is_sent_when_it_has_enough_rows(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client(batch_seconds=3600, batch_rows=10)
    for number in range(25):
        client.log({}, 1, id=number)
    deadline = time.monotonic() + 5
    while len(receiver.batches) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(map(len, receiver.batches.values())) == [10, 10]
    assert client.flush(5)
    assert sorted(map(len, receiver.batches.values())) == [5, 10, 10]


def test_an_empty_frame_and_no_labels_are_nothing(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client()
    assert (client.log_frame({"id": []}), client.log_labels({})) == (0, 0)
    assert client.flush(5)
    assert receiver.requests == []


def frames() -> dict[str, Any]:
    frame = pd.DataFrame(
        {"departure": pd.to_datetime(["2026-01-31"] * 3, utc=True), "id": ["a", "b", "c"], "x": [1, 2, None]}
    )
    return {"pandas": frame, "pyarrow": pa.table(frame), "mapping": {name: frame[name] for name in frame}}


@pytest.mark.parametrize("frame", frames().values(), ids=frames().keys())
def test_a_frame_arrives_with_its_own_columns(frame: Any, receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client()
    assert client.log_frame(frame) == 3
    assert client.flush(5)
    assert [request.headers["Content-Type"] for request in receiver.requests] == ["application/vnd.apache.arrow.stream"]
    assert receiver.rows == [
        {"departure": datetime(2026, 1, 31, tzinfo=UTC), "id": name, "x": value}
        for name, value in (("a", 1.0), ("b", 2.0), ("c", None))
    ]


@pytest.mark.parametrize("frame", [{"a": [1, "x", b"y"]}, [1, 2], "text", {"a": [1], "b": [1, 2]}])
def test_what_is_no_frame_is_refused(frame: Any, make_client: MakeClient) -> None:
    client = make_client()
    with pytest.raises(InvalidInput, match="The frame cannot be sent"):
        client.log_frame(frame)
    assert client.status().waiting_bytes == 0


def test_a_wrong_label_keeps_all_of_its_call(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client()
    with pytest.raises(InvalidInput, match="label of 'b'"):
        client.log_labels([("a", 1), ("b", None)])
    assert client.log_labels(pd.Series([1, 0], index=["c", "d"])) == 2
    assert client.flush(5)
    assert receiver.ids == {"c": 1, "d": 1}


@pytest.mark.slow
def test_a_full_spool_refuses_rows_and_keeps_those_it_took(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.faults.append(refusal(503, "ingest_busy", Retry_After="1"))
    client = make_client(max_spool_bytes=2_000)
    accepted = 0
    with pytest.raises(SpoolFull, match=r"no room for .* more bytes \(max_spool_bytes=2,000, "):
        for number in range(100):
            client.log({}, 1, id=number)
            accepted += 1
    with pytest.raises(SpoolFull):
        client.log_frame({"id": [str(number) for number in range(1_000)]})
    with pytest.raises(SpoolFull):
        client.log_labels({f"label {number}": 1 for number in range(1_000)})
    assert 10 < accepted < 40
    assert client.status().waiting_bytes <= 2_000
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(accepted)}
    assert client.log_labels({"a": 1}) == 1


def test_nothing_is_raised_where_monitoring_must_not_break_serving(
    receiver: Receiver, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(raise_errors=False)
    assert client.log({"a": [1]}, 1) == ""
    assert client.log_labels({"a": None}) == 0
    assert client.log_labels(7) == 0  # type: ignore[arg-type]
    assert client.log_frame(7) == 0
    assert client.log({"a": 1}, 1, id="a") == "a"
    assert client.flush(5)
    assert client.status().dropped == 4
    assert receiver.ids == {"a": 1}
    assert caplog.text.count("rows of model churn were not accepted: Feature 'a' is a value of type list") == 1
    client.close()
    assert client.log({}, 1) == ""


def test_a_closed_client_takes_nothing(receiver: Receiver, make_client: MakeClient) -> None:
    with make_client(batch_seconds=3600) as client:
        client.log({}, 1, id="a")
    assert receiver.ids == {"a": 1}
    with pytest.raises(ClientClosed):
        client.log({}, 1)
    assert client.close()


@pytest.mark.slow
def test_rows_logged_while_the_client_closes_are_sent_or_refused(receiver: Receiver, make_client: MakeClient) -> None:
    """A call that has returned is stored; another raises ClientClosed."""
    for attempt in range(5):
        client = make_client(batch_seconds=3600)
        accepted: list[str] = []

        def log_until_closed(name: str, client: MonitorClient = client, accepted: list[str] = accepted) -> None:
            """Log rows in all three ways until the client is closed."""
            for number in count():
                row_id = f"{name}-{number}"
                try:
                    if number % 3 == 0:
                        client.log({}, 1, id=row_id)
                    elif number % 3 == 1:
                        client.log_labels({row_id: 1})
                    else:
                        client.log_frame({"id": [row_id]})
                except ClientClosed:
                    return
                accepted.append(row_id)

        threads = [threading.Thread(target=log_until_closed, args=(f"{attempt}-{name}",)) for name in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert client.close(20)
        for thread in threads:
            thread.join(5)
        assert {*accepted} - {*receiver.ids} == set()
        assert client.status().logged == len(accepted)
        assert client.status().waiting_batches == client.status().waiting_bytes == 0


def test_a_client_closed_before_its_first_row_takes_none(make_client: MakeClient) -> None:
    client = make_client(raise_errors=False)
    assert client.close()
    assert client.log({}, 1) == ""
    assert client.log_labels({"a": 1, "b": 0}) == 0
    assert client.log_frame({"id": ["a", "b", "c"]}) == 0
    assert client.status().dropped == 6


def test_a_repeated_id_begins_another_batch(receiver: Receiver, make_client: MakeClient) -> None:
    """The monitor refuses a batch that has an id twice."""
    client = make_client(batch_seconds=3600)
    for row_id in ("a", "b", "a", "a"):
        client.log({}, 1, id=row_id)
    client.log_labels([("a", 1), ("b", 1), ("a", 0)])
    assert client.flush(5)
    batches = [
        [row["id"] for row in request.rows]
        for request in sorted(receiver.requests, key=lambda request: request.path, reverse=True)
    ]
    assert batches == [["a", "b"], ["a"], ["a"], ["a", "b"], ["a"]]
    assert [row["label"] for row in receiver.rows if row["id"] == "a" and "label" in row] == [1, 0]


def test_all_rows_of_a_call_that_fails_are_counted(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client(raise_errors=False)
    assert client.log_labels({"a": 1, "b": None, "c": 1, "d\n": 1}) == 0
    assert client.status().dropped == 4
    assert client.log_frame(pd.DataFrame({"x": [1, "a", b"b"]})) == 0
    assert client.log_frame({"x": [1, "a"]}) == 0
    assert client.status().dropped == 9
    assert client.log_labels({"a": 1, "b": 0}) == 2
    assert client.flush(5)
    assert (client.status().logged, client.status().sent, client.status().dropped) == (2, 2, 9)


@pytest.mark.slow
def test_threads_share_a_client(receiver: Receiver, make_client: MakeClient) -> None:
    client = make_client(batch_rows=50)

    def work(name: int) -> None:
        for number in range(200):
            client.log({"text": "x" * name}, 1, id=f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(10)
    assert receiver.ids == {f"{name}-{number}": 1 for name in range(8) for number in range(200)}


@pytest.mark.slow
def test_clients_of_one_folder_send_each_batch_once(receiver: Receiver, make_client: MakeClient) -> None:
    clients = [make_client(batch_rows=5) for _ in range(4)]
    for number in range(200):
        clients[number % 4].log({}, 1, id=number)
    assert all(client.flush(10) for client in clients)
    assert receiver.ids == {str(number): 1 for number in range(200)}
    assert len(receiver.requests) == len(receiver.batches)


def test_models_and_versions_have_their_own_folders(receiver: Receiver, tmp_path: Path) -> None:
    names = ["churn", "a/b", ".hidden", "prévision 1"]
    for name in names:
        with MonitorClient(receiver.url, name, spool=tmp_path) as client:
            client.log({}, 1, id=name)
    with MonitorClient(receiver.url, "churn", version=2, spool=tmp_path) as client:
        client.log({}, 1, id="2")
    assert len(receiver.ids) == 5
    assert [request.path for request in receiver.requests][1:] == [
        "/api/v1/models/a%2Fb/predictions",
        "/api/v1/models/.hidden/predictions",
        "/api/v1/models/pr%C3%A9vision%201/predictions",
        "/api/v1/models/churn/predictions?version=2",
    ]
    assert len([*tmp_path.iterdir()]) == 5


def test_other_users_cannot_read_the_spool(make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(batch_seconds=3600)
    client.log({}, 1)
    client.log_frame({"id": ["a"]})
    folder = tmp_path / "spool" / "churn"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.glob(f"*.{RowKind.PREDICTIONS}.*")} <= {0o600}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "monitor:5001"}, "url is 'monitor:5001'"),
        ({"url": "ftp://monitor"}, "url is"),
        ({"model": ".."}, "model is '..'"),
        ({"ca": "missing.pem"}, "ca is 'missing.pem', which is not a file"),
        ({"batch_rows": 0, "timeout": -1}, "batch_rows is 0"),
        ({"token": "a\nb"}, "The token"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    defaults: dict[str, Any] = {"url": "http://127.0.0.1", "model": "churn", "spool": tmp_path}
    with pytest.raises(InvalidInput) as fault:
        MonitorClient(**defaults | options)
    assert words in str(fault.value)


def test_the_token_is_read_from_the_environment(
    receiver: Receiver, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_TOKEN", "dl_2\n")
    client = make_client()
    client.log({}, 1)
    assert client.flush(5)
    assert receiver.requests[0].headers["Authorization"] == "Bearer dl_2"
