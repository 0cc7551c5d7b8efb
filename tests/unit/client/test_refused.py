"""A batch that the monitor refuses is divided until its invalid rows are alone; these are kept with the reason."""

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from driftline.client import MonitorClient, SpoolFull
from driftline.client.batches.division import MOST_IN_A_ROW
from tests.unit.client.flushing import flushed
from tests.unit.client.receiver import Receiver, answer, refusal

MakeClient = Callable[..., MonitorClient]


@pytest.mark.slow
def test_a_refused_row_does_not_keep_the_others(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.refuses = lambda row: row["id"] == "13"
    client = make_client(batch_rows=100)
    with caplog.at_level(logging.ERROR, "driftline.client"):
        for number in range(100):
            client.log({}, 1, id=number)
        assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(100) if number != 13}
    refused = sorted((tmp_path / "spool" / "churn" / "refused").iterdir())
    assert json.loads(refused[0].read_text())["id"] == "13"
    assert json.loads(refused[1].read_text()) == {
        "status": 400,
        "message": "It is invalid_input.",
        "details": ["1 values (first 'ERR', row 1)"],
    }
    assert "the monitor refuses a batch of predictions (HTTP 400): It is invalid_input." in caplog.text
    assert client.status().refused_batches == 1


@pytest.mark.slow
@pytest.mark.parametrize(("names_rows", "most_requests"), [(True, 160), (False, 750)], ids=["named", "not named"])
def test_one_invalid_row_in_a_hundred_leaves_the_others_stored(
    names_rows: bool, most_requests: int, receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    invalid = {*random.Random(7).sample(range(5_000), 50)}
    receiver.refuses = lambda row: int(row["id"]) in invalid
    receiver.names_rows = names_rows
    client = make_client(batch_seconds=3600)
    for number in range(5_000):
        client.log({}, 1, id=number)
    assert flushed(client, 30)
    assert receiver.ids == {str(number): 1 for number in range(5_000) if number not in invalid}
    assert client.status().refused_batches == 50
    refused = (tmp_path / "spool" / "churn" / "refused").glob("*.ndjson")
    assert {int(json.loads(path.read_text())["id"]) for path in refused} == invalid
    assert len(receiver.requests) <= most_requests


@pytest.mark.parametrize(("share", "most_requests"), [(100, 2), (5, 40)], ids=["one in a hundred", "one in five"])
def test_rows_that_an_answer_lists_are_left_out_at_once(
    share: int, most_requests: int, receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    receiver.refuses = lambda row: int(row["id"]) % share == 0
    receiver.lists_rows = True
    client = make_client(batch_seconds=3600)
    for number in range(2_000):
        client.log({}, 1, id=number)
    assert flushed(client, 30)
    assert receiver.ids == {str(number): 1 for number in range(2_000) if number % share}
    refused = tmp_path / "spool" / "churn" / "refused"
    refused_ids = [
        json.loads(line)["id"] for path in refused.glob("*.ndjson") for line in path.read_text().splitlines()
    ]
    assert sorted(map(int, refused_ids)) == [*range(0, 2_000, share)]
    reasons = [json.loads(path.read_text())["details"] for path in refused.glob("*.reason.json")]
    assert reasons[0][0].endswith("column 'x': 'ERR'; clean it")
    assert sum(map(len, reasons)) == len(refused_ids)
    assert len(receiver.requests) <= most_requests
    assert client.status().refused_batches == len(reasons)


def test_corrected_rows_are_sent_when_their_file_is_moved_back(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    receiver.refuses = lambda row: row["id"] in "24"
    receiver.lists_rows = True
    client = make_client()
    for number in range(9):
        client.log({}, 1, id=number)
    assert flushed(client)
    [refused] = (tmp_path / "spool" / "churn" / "refused").glob("*.ndjson")
    receiver.refuses = lambda _: False
    refused.rename(tmp_path / "spool" / "churn" / f"{refused.name}.ready")
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(9)}


@pytest.mark.slow
def test_a_frame_keeps_its_valid_rows(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.refuses = lambda row: row["x"] == "ERR"
    client = make_client()
    values = ["ERR" if number % 100 == 50 else "1" for number in range(2_000)]
    client.log_frame({"id": [str(number) for number in range(2_000)], "x": values})
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(2_000) if number % 100 != 50}
    assert client.status().refused_batches == 20


@pytest.mark.slow
def test_a_batch_of_which_all_rows_are_refused_costs_few_requests(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.refuses = lambda row: True
    client = make_client(batch_rows=2_000, batch_seconds=3600)
    for number in range(2_000):
        client.log({}, 1, id=number)
    assert flushed(client)
    assert len(receiver.requests) <= 3 * MOST_IN_A_ROW
    assert client.status().waiting_batches == 0
    receiver.refuses = lambda row: row["id"] == "7"  # the next batch is divided again
    for number in range(2_000):
        client.log({}, 1, id=number)
    assert flushed(client)
    assert receiver.ids == {str(number): 1 for number in range(2_000) if number != 7}


def test_a_table_that_nobody_can_read_is_refused(receiver: Receiver, make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client()
    receiver.faults.append(refusal(400))
    (tmp_path / "spool" / "churn" / "0-0.predictions.arrow.ready").write_bytes(b"no table")
    client.log({}, 1, id="a")
    assert flushed(client)
    assert receiver.ids == {"a": 1}
    assert client.status().refused_batches == 1


def test_a_batch_too_large_for_a_proxy_is_sent_in_parts(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.faults.append(answer(413, b"<html>too large</html>"))
    client = make_client(batch_rows=10)
    for number in range(10):
        client.log({}, 1, id=number)
    assert flushed(client)
    assert sorted(map(len, receiver.batches.values())) == [5, 5]
    assert receiver.ids == {str(number): 1 for number in range(10)}


def test_a_corrected_batch_is_sent_when_it_is_moved_back(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    receiver.faults.append(refusal(400))
    client = make_client()
    client.log({}, 1, id="a")
    assert flushed(client)
    [batch] = (tmp_path / "spool" / "churn" / "refused").glob("*.ndjson")
    batch.rename(tmp_path / "spool" / "churn" / f"{batch.name}.ready")
    assert flushed(client)
    assert receiver.ids == {"a": 1}


@pytest.mark.slow
def test_a_large_frame_is_sent_in_parts(receiver: Receiver, make_client: MakeClient) -> None:
    receiver.faults.append(refusal(413))
    client = make_client()
    assert client.log_frame({"id": [str(number) for number in range(120_000)], "x": np.zeros(120_000)}) == 120_000
    assert flushed(client)
    assert sorted(map(len, receiver.batches.values())) == [20_000, 25_000, 25_000, 50_000]
    assert len(receiver.ids) == 120_000


def test_refused_batches_count_for_the_size_of_the_spool(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    receiver.refuses = lambda row: row["id"] == "0"
    client = make_client(max_spool_bytes=1_000)
    client.log({"text": "x" * 600}, 1, id=0)
    assert flushed(client)
    refused = [*(tmp_path / "spool" / "churn" / "refused").iterdir()]
    size = sum(path.stat().st_size for path in refused)
    assert client.status().refused_bytes == size > 600
    assert client.status().waiting_bytes == 0
    with pytest.raises(SpoolFull, match=rf"of which refused batches take {size}\); .*empty the folder refused/"):
        client.log({"text": "x" * 400}, 1)
    for path in refused:
        path.unlink()
    assert flushed(client)
    client.log({"text": "x" * 400}, 1, id=1)
    assert flushed(client)
    assert receiver.ids == {"1": 1}
    assert client.status().refused_bytes == 0
