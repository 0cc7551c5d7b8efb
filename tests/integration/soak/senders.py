"""The senders of a schedule: each does its steps in a thread, and notes in the plain model what was acknowledged."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from tests.integration.soak.plain_model import PlainModel
from tests.integration.soak.processes import KillableProcess, WorkerEnded
from tests.integration.soak.schedule import (
    LAST,
    REVISIONS,
    Kill,
    Kind,
    Process,
    SenderKind,
    Step,
    is_deleted_by_value,
    label_of,
    row_of,
)

PATIENCE = 120.0
"""Seconds that a request is tried for: a killed server is started again at once."""
RETIRED = "has no ready version"
"""How rows of a version that is retired for a while are refused; they are sent again."""
Answer = tuple[int, Any]
Row = dict[str, Any]


@dataclass
class Api:
    """Requests to the server; one that gets no answer is sent again."""

    url: str
    model: str
    _pool: PoolManager = field(default_factory=lambda: PoolManager(maxsize=8))

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the status and the content, JSON or a page, of the answer to a request about the model."""
        address = self.url + (path[1:] if path.startswith("//") else f"/api/v1/models/{self.model}{path}")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                response = self._pool.request(method, address, body=body, headers=headers, retries=False, timeout=60)
            except HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
                continue
            if response.status == 503 and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            is_page = response.headers.get("Content-Type", "").startswith("text/html")
            return response.status, response.data.decode() if is_page else json.loads(response.data or b"null")

    def expect(self, statuses: Iterable[int], *request: Any) -> Any:
        """Return the content of an answer; raise AssertionError for another status."""
        status, answer = self.request(*request)
        assert status in statuses, f"{request[:2]} was answered by {status}: {answer}"
        return answer


@dataclass
class SoakRun:
    """What the senders of a schedule share."""

    api: Api
    plain: PlainModel
    processes: Mapping[Process, KillableProcess]
    folder: Path
    register_again: Callable[[int], None]
    retire: Callable[[int], None]
    versions_of: Callable[[list[str]], dict[str, int]]
    versions: int = 1
    revised: Callable[[], None] = lambda: None

    def begin(self, step: Step) -> None:
        """Pause, and let the kill of a step happen beside it."""
        time.sleep(step.pause)
        if step.kill is not None:
            threading.Timer(step.kill.seconds, self._kill, (step.kill,)).start()

    def _kill(self, kill: Kill) -> None:
        process = self.processes[kill.process]
        process.kill()
        if kill.process in (Process.SERVER, Process.POLLER_1, Process.POLLER_2):
            process.start()


class HttpSender:
    """A program that uses the API: it repeats a request under its key until it is answered."""

    def __init__(self, sender: SenderKind, run: SoakRun) -> None:
        self.sender, self.run = sender, run
        self._numbers = count(1)
        self._last: tuple[Any, ...] | None = None

    def do(self, step: Step) -> None:
        """Do a step."""
        plain, api = self.run.plain, self.run.api
        match step.kind:
            case Kind.PREDICTIONS:
                self._send("/predictions", rows_of(step.ids, step.content), step.form)
                plain.store(step.ids, step.content)
            case Kind.LABELS:
                labels = labels_of(step)
                self._send("/labels", label_rows(labels), "json" if step.form == "json" else step.form)
                plain.label(labels)
            case Kind.CORRECTIONS:
                self.correct([name for name in step.ids if name in plain.rows], step)
            case Kind.DELETION | Kind.DELETION_BY_VALUE:
                self.delete(step)
            case Kind.INVALID:
                rows = rows_of([f"{self.sender}/0/new{n}" for n in range(9)], 0)
                rows[5]["probability_1"] = 7.0
                self._refused("/predictions", rows, step.form)
            case Kind.CONFLICT:
                differing = [name for name in step.ids if plain.rows[name] != step.content]
                self._refused("/predictions", rows_of(differing, step.content), step.form)
            case Kind.AGAIN if self._last is not None:
                api.expect((200,), *self._last)
            case Kind.POLL:
                api.expect((200, 202), "POST", "//run-monitoring")
            case Kind.REVISION:
                self._revise(step)
            case Kind.SECOND_VERSION:
                self.run.register_again(2)
                self.run.versions = 2
            case Kind.RETIRED_FOR_A_WHILE:
                self.run.retire(1)
                time.sleep(step.pause)
                self.run.register_again(1)
            case _:
                pass

    def _version(self) -> int:
        return self.run.versions

    def _send(self, path: str, rows: list[Row], form: str, version: int | None = None, *, key: bool = True) -> None:
        request = self._request(path, rows, form, version, key=key)
        deadline = time.monotonic() + PATIENCE
        while (answer := self.run.api.request(*request))[0] != 200:
            retired = answer[0] == 404 and RETIRED in str(answer[1])
            assert retired and time.monotonic() < deadline, f"{request[:2]} was answered by {answer}"
            time.sleep(0.05)
        self._last = request

    def _request(
        self, path: str, rows: list[Row], form: str, version: int | None = None, *, key: bool = True
    ) -> tuple[Any, ...]:
        body, kind = encoded(rows, form)
        headers = {"Content-Type": kind} | ({"Idempotency-Key": f"{self.sender} {next(self._numbers)}"} if key else {})
        at = "" if version is None and path == "/labels" else f"?version={version or self._version()}"
        return ("POST", f"{path}{at}", body, headers)

    def _refused(self, path: str, rows: list[Row], form: str) -> None:
        if rows:
            self.run.api.expect((400, 409, 422), *self._request(path, rows, form))

    def correct(self, ids: list[str], step: Step) -> None:
        """Correct predictions, which may be of two versions."""
        versions = self.run.versions_of(ids)
        for version in sorted({*versions.values()}):
            corrected = [name for name in ids if versions.get(name) == version]
            self._send("/corrections", rows_of(corrected, step.content), step.form, version)
            self.run.plain.store(corrected, step.content)

    def delete(self, step: Step) -> None:
        """Delete predictions by id, or by the value of a column."""
        plain = self.run.plain
        row_ids = [name for name in plain.rows if name.startswith(f"{self.sender}/")]
        if step.kind is Kind.DELETION_BY_VALUE:
            deleted = [name for name in row_ids if is_deleted_by_value(name)]
            body: Any = {"column": "carrier", "value": f"gone {self.sender}"}
            for name in [name for name in plain.maybe_rows if name.startswith(f"{self.sender}/")]:
                if is_deleted_by_value(name):  # its labels go with it, if it is stored
                    plain.maybe_labels.setdefault(name, set()).update(plain.labels.pop(name, set()))
        else:
            deleted = [name for name in step.ids if name in plain.rows]
            body = {"ids": deleted}
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{self.sender} {next(self._numbers)}"}
        self.run.api.expect((200,), "POST", "/deletions", json.dumps(body).encode(), headers)
        plain.delete(deleted)

    def _revise(self, step: Step) -> None:
        body = json.dumps(REVISIONS[step.content % len(REVISIONS)]).encode()
        version = 1 + step.content % self.run.versions
        headers = {"Content-Type": "application/json"}
        self.run.api.expect((200,), "POST", f"/specs?version={version}", body, headers)


class ClientSender:
    """A program that logs with the client; what its client does not have, it changes by the API."""

    def __init__(self, sender: SenderKind, run: SoakRun) -> None:
        self.sender, self.run = sender, run
        self._http = HttpSender(sender, run)
        self.process = run.processes[Process(sender.value)]
        self.open()

    def open(self) -> None:
        """Open the client, also in a process that was started again."""
        options = {
            "url": self.run.api.url,
            "model": self.run.api.model,
            "spool": self.run.folder / "spool",
            "batch_rows": 40,
            "batch_seconds": 0.05,
            "timeout": 20,
        }
        while True:
            try:
                self.process.call(("open", options))
            except WorkerEnded:
                continue
            return

    def do(self, step: Step) -> None:
        """Do a step; changes of rows wait until those are stored."""
        plain = self.run.plain
        match step.kind:
            case Kind.PREDICTIONS:
                if self._acknowledged(step, step.form, rows_of(step.ids, step.content)):
                    plain.store(step.ids, step.content)
                else:
                    plain.maybe_rows |= dict.fromkeys(step.ids, step.content)
            case Kind.LABELS:
                labels = labels_of(step)
                if self._acknowledged(step, "labels", labels):
                    plain.label(labels)
                else:
                    for name, label in labels.items():
                        plain.maybe_labels.setdefault(name, set()).add(label)
            case _:
                self.flush()
                self._http.do(step)

    def _acknowledged(self, step: Step, method: str, argument: Any) -> bool:
        """Call the client; return False if it was killed and the rows are not sent again."""
        while True:
            try:
                self.process.call((method, argument))
            except WorkerEnded:
                self.open()
                if step.resent:
                    continue
                return False
            return True

    def flush(self) -> None:
        """Wait until the monitor has stored what was logged, also before a kill."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.process.call(("flush", 30.0)):
                    return
            except WorkerEnded:
                self.open()
        raise TimeoutError(f"{self.sender}: rows wait: {self.process.call(('status', None))}")


class FileSender:
    """A job that runs `driftline ingest`, again where it was killed."""

    def __init__(self, sender: SenderKind, run: SoakRun) -> None:
        self.sender, self.run = sender, run
        self._http = HttpSender(sender, run)
        self._numbers = count(1)
        self._last: dict[str, Any] | None = None
        self._corrections: set[tuple[tuple[str, ...], int]] = set()

    def do(self, step: Step) -> None:
        """Do a step; a deletion is a request."""
        plain = self.run.plain
        match step.kind:
            case Kind.PREDICTIONS:
                if self._ingest(step, rows_of(step.ids, step.content)):
                    plain.store(step.ids, step.content)
                else:
                    plain.maybe_rows |= dict.fromkeys(step.ids, step.content)
            case Kind.LABELS:
                labels = labels_of(step)
                if self._ingest(step, label_rows(labels), labels=True):
                    plain.label(labels)
                else:
                    for name, label in labels.items():
                        plain.maybe_labels.setdefault(name, set()).add(label)
            case Kind.CORRECTIONS:
                self._correct(step)
            case Kind.AGAIN:
                if self._last is not None:
                    self._call(self._last, resent=True)
            case _:
                self._http.do(step)

    def _correct(self, step: Step) -> None:
        """Correct predictions of each version; the same file a second time would change nothing."""
        ids = [name for name in step.ids if name in self.run.plain.rows]
        versions = self.run.versions_of(ids)
        for version in sorted({*versions.values()}):
            corrected = tuple(name for name in ids if versions.get(name) == version)
            if (corrected, step.content) not in self._corrections:
                self._corrections.add((corrected, step.content))
                rows = rows_of(corrected, step.content)
                self._call(self._arguments(step, rows, corrections=True, version=version), resent=True)
                self.run.plain.store(corrected, step.content)

    def _ingest(self, step: Step, rows: list[Row], *, labels: bool = False) -> bool:
        arguments = self._arguments(step, rows, labels=labels)
        acknowledged = self._call(arguments, resent=step.resent)
        self._last = arguments if acknowledged else None
        return acknowledged

    def _arguments(self, step: Step, rows: list[Row], **options: Any) -> dict[str, Any]:
        path = self.run.folder / f"{self.run.api.model} {next(self._numbers)}.{step.form}"
        write_file(path, rows, step.form)
        return {"model": self.run.api.model, "files": [path]} | options

    def _call(self, arguments: dict[str, Any], *, resent: bool) -> bool:
        """Ingest a file; return False if the command was killed and the file is not sent again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                refusal = self.run.processes[Process.FILES].call(arguments)
            except WorkerEnded:
                if not resent:
                    return False
                continue
            if refusal is None:
                return True
            assert RETIRED in refusal and time.monotonic() < deadline, f"{arguments} was refused: {refusal}"
            time.sleep(0.05)


def send_last_row(run: SoakRun) -> None:
    """Send a prediction that is later than all others, of each version: it moves the data's clock to the end."""
    for version in range(1, run.versions + 1):
        name = f"last/0/{version:03}"
        row = row_of(name, 0) | {"event_time": LAST}
        body, kind = encoded([row], "json")
        headers = {"Content-Type": kind}
        run.api.expect((200,), "POST", f"/predictions?version={version}", body, headers)


def rows_of(ids: Iterable[str], content: int) -> list[Row]:
    """Return predictions as rows."""
    return [row_of(name, content) for name in ids]


def labels_of(step: Step) -> dict[str, tuple[Any, int]]:
    """Return the labels of a step by id."""
    return {name: label_of(name, step.content) for name in step.ids}


def label_rows(labels: Mapping[str, tuple[Any, int]]) -> list[Row]:
    """Return labels as rows."""
    return [{"id": name, "label": value, "known_at": at} for name, (at, value) in labels.items()]


def encoded(rows: list[Row], form: str) -> tuple[bytes, str]:
    """Return a batch of predictions or labels as bytes, with its content type."""
    if form == "json":
        return json.dumps([nested(row) for row in rows]).encode(), "application/json"
    frame = pd.DataFrame(rows)
    if form == "csv":
        return frame.to_csv(index=False).encode(), "text/csv"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes()), "application/vnd.apache.arrow.stream"


def nested(row: Row) -> Row:
    """Return a row as JSON has it."""
    if "label" in row:
        return row | {"known_at": row["known_at"].isoformat()}
    return {
        "id": row["id"],
        "at": row["event_time"].isoformat(),
        "prediction": row["prediction"],
        "score": row["probability_1"],
        "features": {name: row[name] for name in ("minutes", "carrier")},
    }


def write_file(path: Path, rows: list[Row], form: str) -> None:
    """Write predictions or labels to a file."""
    if form == "ndjson":
        path.write_text("".join(f"{json.dumps(nested(row))}\n" for row in rows), "utf-8")
    elif form == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        pd.DataFrame(rows).to_parquet(path, index=False)


SENDERS: dict[SenderKind, Callable[[SenderKind, SoakRun], Any]] = {
    SenderKind.HTTP: HttpSender,
    SenderKind.CLIENT_1: ClientSender,
    SenderKind.CLIENT_2: ClientSender,
    SenderKind.FILES: FileSender,
}
