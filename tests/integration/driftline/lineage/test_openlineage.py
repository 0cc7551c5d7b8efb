"""Events arrive at a file and at a receiver over HTTP; one that is away, slow or broken delays nobody."""

import json
import time
from pathlib import Path

import pytest

from driftline.lineage import openlineage, outlet, runs
from driftline.lineage.datasets import Dataset, Field
from driftline.lineage.settings import LineageSettings
from driftline.lineage.start import lineage_recorded
from tests.integration.monitoring.alerts.receivers import http_receiver
from tests.unit.driftline.lineage.recorders import checked


def write_run() -> None:
    with runs.run("job"):
        runs.read(Dataset("table", "mysql://db:3306", (Field("id", "BigInteger"),), rows=3))
        runs.wrote(Dataset("m.predictions", rows=2, version="batch"))
        runs.note(model_version=4, batches=["batch"])


def test_events_are_those_of_openlineage(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "events.jsonl"
    with http_receiver() as receiver:
        values = {"address": receiver.url(), "token": "a-secret", "file": file, "namespace": "site"}
        with lineage_recorded(LineageSettings.model_validate(values)):
            write_run()
            with pytest.raises(KeyError), runs.run("broken"):
                raise KeyError("a-value")
    assert {post.path for post in receiver.posts} == {"/api/v1/lineage"}
    assert {post.headers["Authorization"] for post in receiver.posts} == {"Bearer a-secret"}
    lines = file.read_bytes().splitlines()
    assert lines == [post.body for post in receiver.posts]
    start, complete, _, failed = map(checked, lines)
    assert [start["eventType"], complete["eventType"], failed["eventType"]] == ["START", "COMPLETE", "FAIL"]
    assert start["run"]["runId"] == complete["run"]["runId"] != failed["run"]["runId"]
    assert (complete["job"]["namespace"], complete["job"]["name"]) == ("site", "job")
    (read,), (written,) = complete["inputs"], complete["outputs"]
    assert (read["namespace"], written["namespace"]) == ("mysql://db:3306", "site")
    assert read["facets"]["schema"]["fields"] == [{"name": "id", "type": "BigInteger", "fields": []}]
    assert (read["inputFacets"]["inputStatistics"]["rowCount"], written["facets"]["version"]["datasetVersion"]) == (
        3,
        "batch",
    )
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert complete["run"]["facets"]["driftline_run"]["facts"] == {"model_version": 4, "batches": ["batch"]}
    assert failed["run"]["facets"]["errorMessage"]["message"] == "KeyError"
    assert "a-value" not in b"".join(lines).decode()


def test_an_event_that_was_answered_by_an_error_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "FIRST_PAUSE", 0.02)
    with http_receiver() as receiver:
        receiver.status = 500
        with lineage_recorded(LineageSettings(address=receiver.url())):
            write_run()
            while len(receiver.posts) < 3:
                time.sleep(0.01)
            receiver.status = 201
    kinds = [json.loads(post.body)["eventType"] for post in receiver.posts]
    assert kinds == ["START"] * (len(kinds) - 1) + ["COMPLETE"]


@pytest.mark.parametrize("fault", ["away", "slow", "refuses", "breaks"])
def test_a_receiver_with_a_fault_delays_nobody(
    fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outlet, "CLOSE_SECONDS", 0.3)
    monkeypatch.setattr(openlineage, "SEND_SECONDS", 60.0)
    with http_receiver() as receiver:
        receiver.status = {"refuses": 422, "breaks": 500}.get(fault, 200)
        receiver.seconds = 3600.0 if fault == "slow" else 0.0
        address = "http://127.0.0.1:9" if fault == "away" else receiver.url()
        with lineage_recorded(LineageSettings(address=address)):
            began = time.monotonic()
            for _ in range(outlet.MOST_WAITING):
                write_run()
            seconds = time.monotonic() - began
            assert runs.counts()["http"].lost >= outlet.MOST_WAITING * (fault != "refuses") - 2
    assert seconds < 20  # two thousand events; a caller that waited for a single one would need longer
    assert "were lost" in caplog.text
    assert runs.counts() == {}
