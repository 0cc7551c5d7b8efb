"""What runs in the processes of a soak test: the server of the monitor, pollers, clients and the command for files."""

import logging
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

from driftline.clock import utc_now
from driftline.settings import AccessSettings, DatabaseSettings, TlsSettings

PAUSE_SECONDS = 0.1
ODD_ENVIRONMENT = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "HOME": "/nonexistent",
}
"""The environment of all workers: what they store must not depend on it."""
OPEN_FILES = 200


@dataclass(frozen=True)
class Place:
    """What all processes share: the database's DB_* variables, a folder, and the port of the server."""

    environment: dict[str, str]
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"


Worker = Callable[[Place, str, Connection | None], None]


def run(worker: Worker, place: Place, name: str, pipe: Connection | None) -> None:
    """Run a worker until it is killed; its log goes to a file, and it ends with the process of the test."""
    Thread(target=_end_with_the_test, daemon=True).start()
    os.environ |= place.environment | {"DRIFTLINE_OBJECTS": str(place.folder / "objects")}
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    handler = logging.FileHandler(place.folder / f"{name}.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    try:
        worker(place, name, pipe)
    except Exception:
        logging.getLogger(name).exception("ended")
        raise


def _end_with_the_test() -> None:
    """Kill this process when the test's process has ended: the server that forks workers lives as long as they do."""
    test = multiprocessing.parent_process()
    assert test is not None
    test.join()
    os.kill(os.getpid(), signal.SIGKILL)


def serve_monitor(place: Place, _name: str, _pipe: Connection | None) -> None:
    """Serve the monitor; it polls only by request."""
    from driftline.http.server.server import serve  # noqa: PLC0415
    from monitoring.app import create_app  # noqa: PLC0415
    from monitoring.settings import MonitorSettings  # noqa: PLC0415

    settings = MonitorSettings(port=place.port, output=place.folder / "reports")
    app = create_app(settings, DatabaseSettings(), AccessSettings(rate_limit="off"), polls=False)
    serve(app, settings.host, settings.port, TlsSettings())


def poll_by_schedule(place: Place, name: str, _pipe: Connection | None) -> None:
    """Poll like the scheduled polls of a monitor."""
    _poll(place, name, scheduled=True)


def poll_all(place: Place, name: str, _pipe: Connection | None) -> None:
    """Poll like requested polls, which leave no chunk for later."""
    _poll(place, name, scheduled=False)


def _poll(place: Place, name: str, *, scheduled: bool) -> None:
    """Poll without end; what fails goes to the file of failures."""
    from driftline.errors import DatabaseBusy  # noqa: PLC0415
    from driftline.store.database import make_engine  # noqa: PLC0415
    from monitoring.incidents.update import update_incidents  # noqa: PLC0415
    from monitoring.poll.poller import poll_once  # noqa: PLC0415

    engine = make_engine(DatabaseSettings())
    no_failures = {None, DatabaseBusy().message}  # a chunk that other workers lock is computed by a later poll
    while True:
        time.sleep(PAUSE_SECONDS)
        try:
            summary = poll_once(engine, utc_now(), scheduled=scheduled)
            update_incidents(engine)
        except DatabaseBusy:
            logging.getLogger(name).warning("the database is busy", exc_info=True)
            continue
        except Exception as error:
            logging.getLogger(name).exception("a poll failed")
            note_failure(place, f"{name}: {type(error).__name__}: {error}")
            continue
        for outcome in summary.outcomes:
            if outcome.failure not in no_failures:
                note_failure(place, f"{name}: chunk of {outcome.start:%Y-%m-%d}: {outcome.failure}")


def note_failure(place: Place, text: str) -> None:
    """Add a line to the file of failures."""
    with (place.folder / "failures.txt").open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


def use_client(_place: Place, _name: str, pipe: Connection | None) -> None:
    """Call methods of a client, as the test asks for them; the answer is sent when the call has returned."""
    from driftline.client import MonitorClient  # noqa: PLC0415

    assert pipe is not None
    client: MonitorClient | None = None
    while True:
        method, arguments = pipe.recv()
        if method == "open":
            if client is not None:
                client.close()
            client = MonitorClient(**arguments)
            answer: Any = None
        else:
            assert client is not None
            answer = _CALLS[method](client, arguments)
        pipe.send(answer)


def _log(client: Any, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        features = {name: row[name] for name in ("minutes", "carrier")}
        client.log(features, row["prediction"], row["probability_1"], row["id"], row["event_time"])


def _log_labels(client: Any, labels: dict[str, tuple[Any, int]]) -> None:
    for known_at in sorted({known_at for known_at, _ in labels.values()}):
        client.log_labels({name: value for name, (at, value) in labels.items() if at == known_at}, known_at)


_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "log": _log,
    "frame": lambda client, rows: client.log_frame({name: [row[name] for row in rows] for name in rows[0]}),
    "labels": _log_labels,
    "flush": lambda client, seconds: client.flush(seconds),
    "status": lambda client, _: (client.status().refused_batches, client.status().last_error),
}


def ingest_files(_place: Place, _name: str, pipe: Connection | None) -> None:
    """Run `driftline ingest` for one file after the other; the answer is why a file was refused, or None."""
    from driftline.errors import NotFound  # noqa: PLC0415
    from driftline.ingest.files.command import ingest  # noqa: PLC0415

    assert pipe is not None
    while True:
        arguments, refusal = pipe.recv(), None
        try:
            with redirect_stdout(StringIO()):
                ingest(**arguments)
        except NotFound as error:
            refusal = str(error)
        pipe.send(refusal)
