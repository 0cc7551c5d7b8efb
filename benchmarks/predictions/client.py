"""The client: what a call of `log` costs beside a plain logging call, and how fast a frame is spooled and sent.

A process that discards batches stands for the monitor, so that only the client is measured.
"""

import gzip
import io
import json
import logging
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, show, timed, times
from driftline.client import MonitorClient

CALLS = 2_000
"""Calls of one run; about a batch every two runs."""
FRAME_ROWS = 400_000
NUMBERS, TEXTS = 20, 5
Calls = Callable[[int], object]


class Discard(BaseHTTPRequestHandler):
    """Counts the rows of a batch and forgets them."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"].endswith("arrow.stream"):
            rows = sum(batch.num_rows for batch in ipc.open_stream(io.BytesIO(body)))
        else:
            rows = gzip.decompress(body).count(b"\n")
        answer = json.dumps({"batch": "a", "rows": rows, "new": rows, "same": 0}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(connection: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discard)
    connection.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


@contextmanager
def discarding_monitor() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=serve, args=(child_end,))
    process.start()
    yield parent_end.recv()
    process.terminate()
    process.join()


def row(draws: random.Random) -> dict[str, object]:
    """Draw the features of a row; numbers have all their digits, as measured values do."""
    numbers: dict[str, object] = {f"feature_{number}": draws.random() * 100 for number in range(NUMBERS)}
    return numbers | {f"category_{number}": f"value {draws.randrange(10)}" for number in range(TEXTS)}


def logger_to(path: Path) -> logging.Logger:
    logger = logging.getLogger("benchmark")
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def measured_calls(call: Calls, microseconds: list[float]) -> float:
    """Call so often, remember each duration, and return the sum in seconds."""
    clock, total = time.perf_counter_ns, 0
    for number in range(CALLS):
        begun = clock()
        call(number)
        duration = clock() - begun
        total += duration
        microseconds.append(duration / 1_000)
    return total / 1e9


def compare_calls(url: str, folder: Path) -> None:
    """Time calls of the client and of a logger in turn, and print their percentiles."""
    draws = random.Random(7)
    rows = [row(draws) for _ in range(CALLS)]
    logger = logger_to(folder / "plain.log")
    kinds = {"client.log": list[float](), "client.log, monitor away": list[float](), "logging to a file": list[float]()}
    client, alone, plain = kinds.values()
    with (
        MonitorClient(url, "answers", spool=folder, batch_seconds=1) as answered,
        MonitorClient("http://127.0.0.1:9", "away", spool=folder, batch_seconds=1) as unanswered,
    ):
        calls: dict[str, tuple[Calls, list[float]]] = {
            "client.log": (lambda number: answered.log(rows[number], 1, 0.83), client),
            "client.log, monitor away": (lambda number: unanswered.log(rows[number], 1, 0.83), alone),
            "logging to a file": (lambda n: logger.info("%d %f %s", 1, 0.83, rows[n]), plain),
        }
        variants = {name: (lambda pair=pair: measured_calls(*pair)) for name, pair in calls.items()}
        seconds = alternate(variants, runs=15)
        assert answered.flush(60)
        assert answered.status().sent == answered.status().logged == 16 * CALLS
        unanswered.close(0)
    print(f"One row of {NUMBERS} numbers and {TEXTS} texts, {CALLS:,} calls a run:")
    show(seconds, CALLS)
    for name, durations in kinds.items():
        p50, p90, p99, p999 = np.percentile(durations, [50, 90, 99, 99.9])
        print(f"  {name:<26} p50 {p50:6.1f} µs   p90 {p90:6.1f}   p99 {p99:6.1f}   p99.9 {p999:8.1f}")
    ratio = times(seconds["client.log"], seconds["logging to a file"])
    conclude("client.log, times a logging call", ratio, RatioTarget(2, Better.LOWER))


def compare_frames(url: str, folder: Path) -> None:
    """Time frames into the spool, and until they are sent, beside a plain file."""
    draws = np.random.default_rng(7)
    columns = {f"feature_{number}": draws.normal(size=FRAME_ROWS) for number in range(NUMBERS)}
    texts = {f"category_{number}": draws.choice(["NL", "DE", "FR"], FRAME_ROWS) for number in range(TEXTS)}
    frame = pa.table({"id": [f"{number}" for number in range(FRAME_ROWS)], **columns, **texts})

    def written() -> float:
        return timed(lambda: _write_file(frame, folder / "plain.arrow"))

    def spooled() -> float:
        seconds = timed(lambda: client.log_frame(frame))
        assert client.flush(120)
        return seconds

    def sent() -> float:
        return timed(lambda: (client.log_frame(frame), client.flush(120)))

    with MonitorClient(url, "frames", spool=folder) as client:
        client.flush(1)  # starts the thread
        seconds = alternate(
            {"log_frame": spooled, "log_frame and flush": sent, "Arrow with zstd to one file, synced": written}, runs=5
        )
        assert client.status().sent == 12 * FRAME_ROWS
    print(f"A frame of {FRAME_ROWS:,} rows:")
    show(seconds, FRAME_ROWS)
    conclude(
        "log_frame, times a plain file", times(seconds["log_frame"], seconds["Arrow with zstd to one file, synced"])
    )


def _write_file(frame: pa.Table, path: Path) -> None:
    options = ipc.IpcWriteOptions(compression="zstd")
    with path.open("wb") as file:
        with ipc.new_stream(file, frame.schema, options=options) as writer:
            writer.write_table(frame)
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, discarding_monitor() as url:
        compare_calls(url, Path(folder))
        compare_frames(url, Path(folder))


if __name__ == "__main__":
    main()
