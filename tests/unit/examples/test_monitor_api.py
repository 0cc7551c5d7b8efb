"""What the examples say where a server does not answer, or something does not happen in time."""

import socket
from pathlib import Path

import pytest

from examples.lakehouse.capture.connect import SOURCE, Connect
from examples.lakehouse.pipeline import Pipeline
from examples.lakehouse.shop.simulation import ShopPlan
from examples.monitor_api import MONITOR_LOG, NoAnswer, NotInTime, poll, request_json, wait_for
from examples.processes import BackgroundProcess


def unused_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("log", "end"),
    [(None, "within 0 s."), (Path("/var/a.log"), "within 0 s; look at /var/a.log."), (MONITOR_LOG, "of the monitor.")],
)
def test_the_log_of_what_was_waited_for_is_named(log: Path | str | None, end: str) -> None:
    with pytest.raises(NotInTime, match=f"^The dashboard did not appear .*{end}$"):
        wait_for(lambda: None, "The dashboard", 0, every=0, log=log)


def test_a_server_that_does_not_answer_is_named() -> None:
    address = unused_address()
    with pytest.raises(NoAnswer, match=rf"^GET {address}/page is not answered \(.*Connection refused\)\.$"):
        request_json(address, "/page")
    with pytest.raises(NoAnswer, match="/run-monitoring is not answered"):
        poll(address)


def test_the_logs_of_connect_and_of_the_stream_are_named(tmp_path: Path) -> None:
    process, stream, api = (BackgroundProcess(name, tmp_path) for name in ("connect", "lake-stream", "shop-api"))
    connect = Connect(process, tmp_path, None, "127.0.0.1:9")  # type: ignore[arg-type]  # the database is not used
    with pytest.raises(NoAnswer, match=rf"/connectors/{SOURCE}/status is not answered .* look at {process.log}\.$"):
        connect.runs()
    pipeline = Pipeline(None, connect, "", api, stream, tmp_path, ShopPlan())  # type: ignore[arg-type]
    with pytest.raises(NoAnswer, match=rf"/metrics is not answered .* look at {stream.log}\.$"):
        pipeline.has_applied_all()
