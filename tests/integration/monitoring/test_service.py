"""The monitor as a service: its reports follow what is stored, whatever became of the poll before."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from driftline.errors import InvalidInput, Unavailable
from driftline.objects import StoreUnavailable, open_store
from driftline.store.database import in_transaction
from driftline.store.polling import pending_chunks
from driftline.store.version_key import VersionKey
from monitoring import service
from monitoring.poll import computation
from monitoring.poll.poller import poll_once
from monitoring.report.files import reports
from monitoring.service import MonitorService
from stack.servers import ports
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.world import FIRST, NAME, NOW, MonitoredWorld


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    """One server is enough: nothing here depends on the server's kind."""
    return mariadb


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def started(world: MonitoredWorld, output: Path) -> MonitorService:
    return MonitorService(world.engine, open_store(output), lambda: NOW)


def reported(output: Path) -> int:
    """How many chunks the reports tell of."""
    frames = [pd.read_csv(path) for path in output.glob("*.csv")]
    return max(frame["chunk_start"].nunique() for frame in frames)


@pytest.mark.kills
def test_killed_between_poll_and_report_the_next_start_reports(world: MonitoredWorld, output: Path) -> None:
    world.predict(0)
    started(world, output).poll(scheduled=True)
    world.predict(1)
    poll_once(world.engine, NOW, scheduled=True)
    started(world, output).poll(scheduled=True)
    assert reported(output) == 2


def test_reports_that_failed_are_written_by_the_next_poll(
    world: MonitoredWorld, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    world.predict(1)
    with monkeypatch.context() as patch:
        patch.setattr(reports, "write", _fail(StoreUnavailable("No space left on device")))
        monitor.poll(scheduled=True)
    monitor.poll(scheduled=True)
    assert reported(output) == 2


@pytest.mark.parametrize("bucket", ["gcs_bucket", "s3_bucket"])
def test_reports_go_to_a_bucket(world: MonitoredWorld, bucket: str, request: pytest.FixtureRequest) -> None:
    output = open_store(f"{request.getfixturevalue(bucket)}/reports")
    world.predict(0)
    monitor = MonitorService(world.engine, output, lambda: NOW)
    monitor.poll(scheduled=True)
    files = {
        "drift_report.csv",
        "performance_report.csv",
        f"drift_{NAME}.png",
        f"performance_{NAME}.png",
        f"report_{NAME}.html",
    }
    assert set(output.list_keys()) == files
    assert output.get(f"drift_{NAME}.png").startswith(b"\x89PNG")
    assert len(pd.read_csv(BytesIO(output.get("performance_report.csv")))) > 0


def test_an_unavailable_bucket_does_not_stop_the_poll(
    world: MonitoredWorld, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.any_free()}")
    world.predict(0)
    monitor = MonitorService(world.engine, open_store(s3_bucket), lambda: NOW)
    assert monitor.poll(scheduled=True).polls
    assert "Cannot write the reports to s3://" in caplog.text


def test_results_stored_before_a_database_failure_are_reported(
    world: MonitoredWorld, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    world.predict(1)
    poll_once(world.engine, NOW, scheduled=True)
    with monkeypatch.context() as patch:
        patch.setattr(service, "poll_once", _fail(Unavailable()))
        with pytest.raises(Unavailable):
            monitor.poll(scheduled=True)
    monitor.poll(scheduled=True)
    assert reported(output) == 2


def test_a_failed_chunk_is_reported_until_it_recovers(
    world: MonitoredWorld, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    world.predict(1)
    with monkeypatch.context() as patch:
        patch.setattr(computation, "finish_chunk", _fail(InvalidInput("The scores are odd.")))
        monitor.poll(scheduled=True)
    assert verdicts_reported(output) == ["pending_labels", "error"]
    monitor.poll(scheduled=False)
    assert verdicts_reported(output) == ["pending_labels", "pending_labels"]


def test_a_recovered_chunk_without_change_is_reported(
    world: MonitoredWorld, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    queue(world)
    with monkeypatch.context() as patch:
        patch.setattr(computation, "_evaluate", _fail(InvalidInput("The scores are odd.")))
        monitor.poll(scheduled=False)
    assert verdicts_reported(output) == ["error"]
    monitor.poll(scheduled=False)
    assert verdicts_reported(output) == ["pending_labels"]


def verdicts_reported(output: Path) -> list[str]:
    """The verdict of each chunk, in the order of time."""
    frame = pd.read_csv(output / reports.PERFORMANCE_REPORT)
    return [str(verdict) for verdict in frame.drop_duplicates("chunk_start").sort_values("chunk_start")["verdict"]]


def queue(world: MonitoredWorld) -> None:
    """Make the first day's chunk pending, as a label batch that changes nothing does."""
    number = world.version.model_number
    in_transaction(world.engine, lambda connection: pending_chunks.queue(connection, VersionKey(number, 1), {FIRST}))


def test_results_that_another_process_has_stored_are_reported(world: MonitoredWorld, output: Path) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    world.predict(1)
    poll_once(world.engine, NOW, scheduled=True)
    monitor.poll(scheduled=True)
    assert reported(output) == 2


def test_reports_are_not_written_again_while_nothing_changes(world: MonitoredWorld, output: Path) -> None:
    monitor = started(world, output)
    world.predict(0)
    monitor.poll(scheduled=True)
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    monitor.poll(scheduled=True)
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before


def _fail(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
