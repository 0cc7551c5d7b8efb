"""Serving: how long one prediction takes at a fixed rate, beside a plain Flask route and `mlflow models serve`.

All three serve the same forest. Requests are sent when they are due, whether earlier ones were answered or not, and
each is timed from when it was due. The plain route has no tokens, no checks and no log, nor has MLflow's server; a
process that discards batches stands for the monitor. The lines that the servers log go to a file.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from benchmarks.measuring import machine
from benchmarks.predictions.client import discarding_monitor
from driftline.artifacts.loading import load_scorer
from driftline.artifacts.saving import save_trees
from driftline.engine.spec import ColumnSpec, Spec
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.versions import registry
from stack import paths
from stack.servers import ports
from stack.testing.temporary_servers import TemporaryDatabase, mariadb_server

FEATURES = tuple(f"feature_{number}" for number in range(25))
ROWS = 8 * 200
PLAIN, SERVING, MLFLOW = NAMES = ("plain", "serving", "mlflow")
"""The servers: a plain route, Driftline's, and MLflow's."""
SECONDS = 20.0
CONNECTIONS = 16
READY_SECONDS = 300
NO_TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@dataclass(frozen=True)
class Server:
    """A server of the model: its command, settings and port, and where it says that it is ready and predicts.

    `body` has the features of a request under the name `features`.
    """

    name: str
    command: tuple[str, ...]
    port: int
    ready: str = "/readyz"
    path: str = "/predict"
    environment: Mapping[str, str] = field(default_factory=dict)

    def body(self, features: Mapping[str, float]) -> dict[str, Any]:
        """Return the request that predicts one row."""
        return {"model": "forest", "features": features}


class MlflowServer(Server):
    """MLflow's own server, whose requests are frames."""

    def body(self, features: Mapping[str, float]) -> dict[str, Any]:
        """Return the request that predicts one row."""
        return {"dataframe_records": [features]}


def register(database: DatabaseSettings, folder: Path) -> None:
    """Register a forest of 30 trees of depth 8 with 25 features, and save it for MLflow: `model` and `mlflow`."""
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({name: draw.gamma(1.5, 20, ROWS) for name in FEATURES})
    label = (frame[FEATURES[0]] > frame[FEATURES[1]]).astype(int)
    model = RandomForestClassifier(30, max_depth=8, random_state=1).fit(frame, label)
    save_trees(model, str(folder / "model"), frame.head(100))
    save_for_mlflow(model, folder / "mlflow")
    now = datetime.now(UTC)
    times = [now - timedelta(days=1 + number // 200) for number in range(ROWS)]
    scored = frame.assign(
        event_time=times,
        id=[f"r{number}" for number in range(ROWS)],
        prediction=1,
        probability_1=model.predict_proba(frame)[:, 1],
        label=label,
    )
    spec = Spec(columns=tuple(ColumnSpec(name=name) for name in FEATURES))
    engine = make_engine(database)
    migrate.upgrade(engine)
    candidate = registry.Candidate("forest", spec, "0" * 64, scored, str(folder / "model"), {})
    registry.register(engine, candidate, open_store(folder / "objects"), now)
    engine.dispose()


def save_for_mlflow(model: RandomForestClassifier, folder: Path) -> None:
    """Save a model as MLflow serves it; pickled, since its default format needs a further package."""
    os.environ |= NO_TELEMETRY
    import mlflow.sklearn  # noqa: PLC0415

    mlflow.sklearn.save_model(model, str(folder), pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle")


def serve_plainly(address: str, port: int) -> None:
    """Serve the model behind a plain Flask route."""
    from flask import Flask, Response, jsonify, request  # noqa: PLC0415

    from driftline.http.server.server import serve  # noqa: PLC0415
    from driftline.settings import TlsSettings  # noqa: PLC0415

    app, scorer = Flask("plain"), load_scorer(address)

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    @app.post("/predict")
    def predict() -> Response:
        (scored,) = scorer.score([request.get_json()["features"]])
        return jsonify(prediction=scored.prediction, score=scored.score)

    serve(app, "127.0.0.1", port, TlsSettings())


@contextmanager
def running(server: Server, log: Path) -> Iterator[int]:
    """Start a server, wait until it is ready, and yield the id of its process."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.command,
            cwd=paths.ROOT,
            env=os.environ | server.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _await(server, log)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _await(server: Server, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(URLError, OSError):
            urlopen(f"http://127.0.0.1:{server.port}{server.ready}", timeout=5).close()
            return
        time.sleep(0.1)
    raise SystemExit(f"{server.name} does not answer:\n{log.read_text()[-2000:]}")


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and those that it started have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds + sum(processor_seconds(int(child)) for child in children)


def request_bytes(server: Server, draws: random.Random) -> bytes:
    body = json.dumps(server.body({name: draws.random() * 50 for name in FEATURES})).encode()
    head = f"POST {server.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def send_at_rate(server: Server, rate: int, seconds: float) -> list[float]:
    """Send requests at a rate over some connections; return each one's milliseconds since it was due."""
    draws = random.Random(7)
    requests = [request_bytes(server, draws) for _ in range(200)]
    begun, total = time.perf_counter() + 0.2, round(rate * seconds)
    durations: list[float] = []
    numbers = iter(range(total))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with closing(writer):
            for number in numbers:
                due = begun + number / rate
                await asyncio.sleep(due - time.perf_counter())
                writer.write(requests[number % len(requests)])
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                assert head.startswith(b"http/1.1 200"), head
                await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
                durations.append((time.perf_counter() - due) * 1000)

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return durations


def measure(server: Server, pid: int, rate: int) -> None:
    """Print the latencies of a server at a rate, and its processor time."""
    asyncio.run(send_at_rate(server, 50, 2))  # warm
    seconds = processor_seconds(pid)
    durations = asyncio.run(send_at_rate(server, rate, SECONDS))
    cost = (processor_seconds(pid) - seconds) / len(durations) * 1000
    p50, p99, p999 = np.percentile(durations, [50, 99, 99.9])
    print(
        f"  {server.name:<12} {rate:4d}/s  p50 {p50:7.2f} ms   p99 {p99:8.2f}   p99.9 {p999:8.2f}   "
        f"{cost:.2f} ms of processor time a request",
        flush=True,
    )


def servers_of(folder: Path, database: Mapping[str, Any], monitor: str) -> tuple[Server, ...]:
    """Return the servers of the registered model."""
    plain, port, mlflow = (ports.any_free() for _ in range(3))
    settings = {f"DB_{name.upper()}": str(value) for name, value in database.items()} | {
        "SERVING_PORT": str(port),
        "SERVING_MONITOR_URL": monitor,
        "DRIFTLINE_RATE_LIMIT": "off",
        "DRIFTLINE_VAR": str(folder / "var"),
    }
    programs = Path(sys.executable).parent
    options = ("--env-manager", "local", "--host", "127.0.0.1", "--port", str(mlflow))
    return (
        Server(
            PLAIN,
            (sys.executable, "-m", "benchmarks.models.serving", "--plain", str(folder / "model"), str(plain)),
            plain,
        ),
        Server(SERVING, (sys.executable, "-m", "serving"), port, environment=settings),
        MlflowServer(
            MLFLOW,
            (str(programs / "mlflow"), "models", "serve", "--model-uri", str(folder / "mlflow"), *options),
            mlflow,
            ready="/ping",
            path="/invocations",
            environment=NO_TELEMETRY | {"PATH": f"{programs}:{os.environ['PATH']}"},
        ),
    )


def compare(server: TemporaryDatabase, folder: Path, monitor: str, options: Namespace) -> None:
    """Register the model, and measure the servers at each rate."""
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE serving")
    database = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "root",
        "password": server.password,
        "name": "serving",
    }
    register(DatabaseSettings.model_validate(database), folder)
    for rate in options.rates:
        for each in servers_of(folder, database, monitor):
            if each.name in options.servers:
                with running(each, folder / "servers.log") as pid:
                    measure(each, pid, rate)


def main() -> None:
    """Compare the servers, or be the plain route."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--plain", nargs=2, metavar=("FOLDER", "PORT"), help="serve the model by a plain route")
    parser.add_argument("--rates", type=int, nargs="+", default=(100, 500), help="requests a second")
    parser.add_argument("--servers", nargs="+", choices=NAMES, default=NAMES)
    options = parser.parse_args()
    if options.plain:
        serve_plainly(options.plain[0], int(options.plain[1]))
        return
    print(machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        discarding_monitor() as monitor,
        mariadb_server(Path(folder) / "mariadb") as server,
    ):
        compare(server, Path(folder), monitor, options)


if __name__ == "__main__":
    main()
