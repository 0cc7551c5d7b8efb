"""Serving: how long one prediction takes at a fixed rate, beside the same model behind a plain Flask route.

Requests are sent when they are due, whether earlier ones were answered or not, and each is timed from when it was due.
The plain route has no tokens, no checks and no log; a process that discards batches stands for the monitor.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from benchmarks.client import discarding_monitor
from benchmarks.measuring import machine
from driftline.artifacts.loading import load_scorer
from driftline.artifacts.saving import save_trees
from driftline.engine.spec import ColumnSpec, Spec
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store import migrate, registry
from driftline.store.database import make_engine
from stack import paths
from stack.servers import ports
from stack.testing.temporary_servers import TemporaryDatabase, mariadb_server

FEATURES = tuple(f"feature_{number}" for number in range(25))
ROWS = 8 * 200
SECONDS = 20.0
CONNECTIONS = 16


def register(database: DatabaseSettings, folder: Path) -> Path:
    """Register a forest of 30 trees of depth 8 with 25 features; return its address."""
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({name: draw.gamma(1.5, 20, ROWS) for name in FEATURES})
    label = (frame[FEATURES[0]] > frame[FEATURES[1]]).astype(int)
    model = RandomForestClassifier(30, max_depth=8, random_state=1).fit(frame, label)
    save_trees(model, str(folder / "model"), frame.head(100))
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
    return folder / "model"


def serve_plainly(address: str, port: int) -> None:
    """Serve the model behind a plain Flask route."""
    from flask import Flask, Response, jsonify, request  # noqa: PLC0415

    from driftline.http.server import serve  # noqa: PLC0415
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
def running(command: tuple[str, ...], port: int, environment: dict[str, str]) -> Iterator[int]:
    """Start a process, wait until it is ready, and yield its id."""
    process = subprocess.Popen(command, cwd=paths.ROOT, env=os.environ | environment)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request_bytes(draws: random.Random) -> bytes:
    body = json.dumps({"model": "forest", "features": {name: draws.random() * 50 for name in FEATURES}}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def send_at_rate(port: int, rate: int, seconds: float) -> list[float]:
    """Send requests at a rate over some connections; return each one's milliseconds since it was due."""
    draws = random.Random(7)
    requests = [request_bytes(draws) for _ in range(200)]
    begun, total = time.perf_counter() + 0.2, round(rate * seconds)
    durations: list[float] = []
    numbers = iter(range(total))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
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


def measure(name: str, port: int, pid: int, rate: int) -> None:
    asyncio.run(send_at_rate(port, 50, 2))  # warm
    seconds = processor_seconds(pid)
    durations = asyncio.run(send_at_rate(port, rate, SECONDS))
    cost = (processor_seconds(pid) - seconds) / len(durations) * 1000
    p50, p99, p999 = np.percentile(durations, [50, 99, 99.9])
    print(
        f"  {name:<12} {rate:4d}/s  p50 {p50:6.2f} ms   p99 {p99:7.2f}   p99.9 {p999:7.2f}   "
        f"{cost:.2f} ms of processor time a request"
    )


def compare(server: TemporaryDatabase, folder: Path, monitor: str) -> None:
    """Measure the service and a route without Driftline, at the same rates of requests."""
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE serving")
    database = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "root",
        "password": server.password,
        "name": "serving",
    }
    address = register(DatabaseSettings.model_validate(database), folder)
    plain_port, port = ports.any_free(), ports.any_free()
    plain = (sys.executable, "-m", "benchmarks.serving", str(address), str(plain_port))
    settings = {f"DB_{name.upper()}": str(value) for name, value in database.items()} | {
        "SERVING_PORT": str(port),
        "SERVING_MONITOR_URL": monitor,
        "DRIFTLINE_RATE_LIMIT": "off",
        "DRIFTLINE_VAR": str(folder / "var"),
    }
    for rate in (100, 500):
        with running(plain, plain_port, {}) as pid:
            measure("plain route", plain_port, pid, rate)
        with running((sys.executable, "-m", "serving"), port, settings) as pid:
            measure("serving", port, pid, rate)


def main() -> None:
    if len(sys.argv) > 1:
        serve_plainly(sys.argv[1], int(sys.argv[2]))
        return
    print(machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        discarding_monitor() as monitor,
        mariadb_server(Path(folder) / "mariadb") as server,
    ):
        compare(server, Path(folder), monitor)


if __name__ == "__main__":
    main()
