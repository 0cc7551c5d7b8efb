"""Raw data comes whole or not at all, from a server of Google Cloud Storage's protocol, on a line that is cut."""

import errno
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from google.cloud.storage import Blob

from churn.columns import CDR_FILE_COLUMNS
from driftline.errors import Conflict, InvalidInput, SchemaMismatch
from flaskapp.progress import Progress
from flaskapp.raw import command, resumed
from flaskapp.raw import state as kept
from flaskapp.raw.download import Downloaded, download
from flaskapp.raw.google_object import GoogleObject, make_client
from flaskapp.raw.source import (
    Damaged,
    NoAccess,
    NoSpace,
    NoSuchObject,
    ObjectSource,
    ObjectUnavailable,
    ObjectVersion,
    Write,
)
from flaskapp.raw.stored_object import StoredObject
from stack import paths
from stack.servers import ports
from stack.testing.object_servers import TemporaryGcs
from tests.integration.flaskapp.bad_line import BadLine, bad_line
from tests.waiting import wait_until

NEWEST = datetime(2026, 6, 1, tzinfo=UTC)
SCRIPT = paths.ROOT / "flaskapp" / "DataFile" / "download_raw_data.py"
NAME = "exports/RawData.csv"


def raw_data(rows: int = 20_000, first: int = 1000) -> bytes:
    lines = (f"2026-01-31,{first + row},{row % 7},2,3,4,5,6,7,8,0" for row in range(rows))
    return "\n".join((",".join(CDR_FILE_COLUMNS), *lines, "")).encode()


@contextmanager
def no_bar(title: str, total: int) -> Iterator[Progress]:
    yield lambda _: None


def no_pause(_: float) -> None:
    return


@pytest.fixture
def line(gcs: TemporaryGcs, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadLine]:
    """The way to the server, on which the client is sent."""
    with bad_line(gcs.port) as bad:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{bad.port}")
        yield bad


def stored(bucket: str, name: str = NAME) -> Blob:
    return make_client(True, print).bucket(bucket.removeprefix("gs://")).blob(name)


def upload(bucket: str, content: bytes, name: str = NAME, content_type: str = "text/csv") -> None:
    stored(bucket, name).upload_from_string(content, content_type=content_type)


def source(bucket: str, name: str = NAME) -> ObjectSource:
    return GoogleObject(make_client(True, print), bucket.removeprefix("gs://"), name)


def fetch(source: ObjectSource, folder: Path) -> Downloaded:
    return download(source, folder, NEWEST, no_bar, no_pause)


def test_a_second_download_changes_nothing(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    downloaded = fetch(source(gcs_bucket), tmp_path)
    assert (downloaded.new, downloaded.path.name, downloaded.path.read_bytes()) == (True, "RawData.csv", raw_data())
    downloads = line.received.count(b"alt=media")
    again = fetch(source(gcs_bucket), tmp_path)
    assert (again.new, again.fetched) == (False, downloaded.fetched)
    assert line.received.count(b"alt=media") == downloads == 1


def test_only_the_object_is_requested(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    fetch(source(gcs_bucket), tmp_path)
    others = {address for address in line.addresses if "/o/" not in address and "/o?" not in address}
    assert (len(line.addresses), others) == (3, set())


def test_an_interrupted_download_requests_the_rest(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    line.cuts = [300_000, 200_000]
    downloaded = fetch(source(gcs_bucket), tmp_path)
    assert downloaded.path.read_bytes() == raw_data()
    starts = [int(received.removeprefix("bytes=").rstrip("-")) for received in line.ranges if received != "bytes=0-"]
    assert len(starts) == 2
    assert 250_000 < starts[0] < 300_000
    assert 400_000 < starts[1] < 500_000
    assert line.received.count(b"generation=") >= 2


def test_a_later_run_resumes_a_failed_one(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    line.cuts = [300_000, 1, 1, 1, 1, 1]
    with pytest.raises(ObjectUnavailable, match="5 times in a row"):
        fetch(source(gcs_bucket), tmp_path)
    assert not (tmp_path / "RawData.csv").exists()
    had = (tmp_path / ".download" / "RawData.csv").stat().st_size
    assert 250_000 < had < 300_000
    line.cuts, line.received = [], b""
    assert fetch(source(gcs_bucket), tmp_path).path.read_bytes() == raw_data()
    assert line.ranges == [f"bytes={had}-"]


def test_a_new_generation_restarts_the_download(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    line.cuts = [300_000, 1, 1, 1, 1, 1]
    with pytest.raises(ObjectUnavailable):
        fetch(source(gcs_bucket), tmp_path)
    line.cuts = []
    upload(gcs_bucket, raw_data(first=500_000))
    assert fetch(source(gcs_bucket), tmp_path).path.read_bytes() == raw_data(first=500_000)


class ReplacedDuringRead:
    """The source, whose object is replaced after it was looked at, so often."""

    def __init__(self, source: ObjectSource, bucket: str, times: int) -> None:
        self._source, self._bucket, self._times = source, bucket, times

    def current_version(self) -> ObjectVersion:
        version = self._source.current_version()
        if self._times:
            upload(self._bucket, raw_data(first=self._times * 100_000))
            self._times -= 1
        return version

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        self._source.read(version, start, write)


def test_an_object_replaced_during_the_download_is_read_again(gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    downloaded = fetch(ReplacedDuringRead(source(gcs_bucket), gcs_bucket, times=2), tmp_path)
    assert downloaded.path.read_bytes() == raw_data(first=100_000)


def test_repeated_replacement_ends_the_download(gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    with pytest.raises(Conflict, match="was replaced or deleted while it was read"):
        fetch(ReplacedDuringRead(source(gcs_bucket), gcs_bucket, times=9), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".download"]


def test_damaged_bytes_are_deleted(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    line.flip = 400_000
    with pytest.raises(Damaged, match="came damaged"):
        fetch(source(gcs_bucket), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".download"]
    assert fetch(source(gcs_bucket), tmp_path).path.read_bytes() == raw_data()


@pytest.mark.parametrize(
    ("name", "content_type"), [("RawData.csv.gz", "text/csv"), ("export", "application/gzip"), ("a.gz", "text/csv")]
)
def test_gzipped_by_its_name_or_type(gcs_bucket: str, tmp_path: Path, name: str, content_type: str) -> None:
    packed = gzip.compress(raw_data())
    upload(gcs_bucket, packed, name, content_type)
    (tmp_path / "RawData.csv").write_bytes(b"by hand")
    with pytest.raises(Conflict, match=r"RawData\.csv was not downloaded"):
        fetch(source(gcs_bucket, name), tmp_path)
    (tmp_path / "RawData.csv").unlink()
    downloaded = fetch(source(gcs_bucket, name), tmp_path)
    assert (downloaded.path.name, downloaded.path.read_bytes()) == ("RawData.csv.gz", packed)


def test_an_encoded_object_is_downloaded_as_stored(gcs_bucket: str, tmp_path: Path) -> None:
    packed = gzip.compress(raw_data())
    blob = stored(gcs_bucket)
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed, content_type="text/csv")
    downloaded = fetch(source(gcs_bucket), tmp_path)
    assert (downloaded.path.name, downloaded.path.read_bytes()) == ("RawData.csv.gz", packed)


def test_a_downloaded_file_of_the_other_format_is_removed(gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    upload(gcs_bucket, gzip.compress(raw_data()), "b.csv.gz")
    fetch(source(gcs_bucket), tmp_path)
    fetch(source(gcs_bucket, "b.csv.gz"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".download", "RawData.csv.gz"]


def test_a_file_changed_by_hand_stays(gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    path = fetch(source(gcs_bucket), tmp_path).path
    path.write_bytes(raw_data(5))
    with pytest.raises(Conflict, match="changed since"):
        fetch(source(gcs_bucket), tmp_path)
    assert path.read_bytes() == raw_data(5)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (gzip.compress(raw_data())[:-500], "RawData.csv.gz", "cannot be read to its end"),
        (raw_data(), "RawData.csv.gz", "is not gzip, but its name and type say gzipped"),
        (gzip.compress(raw_data()), "RawData.csv", "is gzip, but its name and type say plain"),
        (raw_data() + b"2026-01-31,7,x,2,3,4,5,6,7,8,0\n", "RawData.csv", "has 1 faults"),
        (b"", "RawData.csv", "is empty"),
    ],
    ids=("broken gzip", "no gzip", "gzip", "faulty line", "empty"),
)
def test_invalid_data_does_not_replace_the_file(
    gcs_bucket: str, tmp_path: Path, content: bytes, name: str, says: str
) -> None:
    upload(gcs_bucket, raw_data(), "good.csv")
    valid = fetch(source(gcs_bucket, "good.csv"), tmp_path).path
    upload(gcs_bucket, content, name)
    with pytest.raises(InvalidInput, match=says):
        fetch(source(gcs_bucket, name), tmp_path)
    assert valid.read_bytes() == raw_data()


def test_another_header_is_named(gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, b"a,b\n1,2\n")
    with pytest.raises(SchemaMismatch, match="Columns are missing: DP_DATE"):
        fetch(source(gcs_bucket), tmp_path)


@pytest.mark.parametrize("bucket", ["there", "nowhere"])
def test_a_missing_object_or_bucket_is_named(gcs_bucket: str, tmp_path: Path, bucket: str) -> None:
    where = gcs_bucket if bucket == "there" else "gs://nowhere-at-all"
    with pytest.raises(NoSuchObject, match="check RAW_DATA_BUCKET and RAW_DATA_OBJECT"):
        fetch(source(where, "missing.csv"), tmp_path)


def run_script(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAW_DATA_", "GOOGLE_"))}
    command = (sys.executable, "-W", "error", str(SCRIPT), "--folder", str(folder))
    return subprocess.run(
        command, env=inherited | environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_script_downloads(gcs: TemporaryGcs, gcs_bucket: str, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    named = {"RAW_DATA_BUCKET": gcs_bucket.removeprefix("gs://"), "RAW_DATA_OBJECT": NAME}
    first, second = (run_script(tmp_path, **named) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout.startswith(f"{tmp_path}/RawData.csv: {len(raw_data()):,} bytes of {gcs_bucket}/{NAME}")
    assert "is there already" in second.stdout


def test_a_run_after_a_kill_resumes(gcs_bucket: str, line: BadLine, tmp_path: Path) -> None:
    upload(gcs_bucket, raw_data())
    line.pause = 300_000
    process = subprocess.Popen(
        (sys.executable, str(SCRIPT), "--folder", str(tmp_path)), stderr=subprocess.DEVNULL,
        env=os.environ | {"RAW_DATA_URL": f"{gcs_bucket}/{NAME}"},
    )  # fmt: skip
    unfinished = tmp_path / ".download" / "RawData.csv"
    wait_until(lambda: unfinished.exists() and unfinished.stat().st_size > 200_000)
    process.kill()
    process.wait()
    had, line.pause, line.received = unfinished.stat().st_size, None, b""
    assert not (tmp_path / "RawData.csv").exists()
    assert fetch(source(gcs_bucket), tmp_path).path.read_bytes() == raw_data()
    assert line.ranges == [f"bytes={had}-"]


def test_the_script_without_settings_ends_with_one_sentence(tmp_path: Path) -> None:
    completed = run_script(tmp_path)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr.startswith("Error: No raw data is configured: set RAW_DATA_BUCKET and RAW_DATA_OBJECT")
    assert completed.stderr.count("\n") == 1


@pytest.mark.parametrize("in_the_way", ["RawData.csv", ".download"])
def test_an_unusable_folder_is_reported_in_one_message(tmp_path: Path, in_the_way: str) -> None:
    stored_raw, folder = tmp_path / "stored" / "RawData.csv", tmp_path / "folder"
    stored_raw.parent.mkdir()
    stored_raw.write_bytes(raw_data(10))
    (folder / in_the_way).mkdir(parents=True)
    if in_the_way == ".download":
        (folder / in_the_way).rmdir()
        (folder / in_the_way).touch()
    completed = run_script(folder, RAW_DATA_URL=str(stored_raw))
    assert completed.returncode == 2
    assert completed.stderr.startswith(f"Error: {folder / in_the_way} cannot be used (")
    assert completed.stderr.count("\n") == 1


def test_a_full_disk_is_reported_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept, "save", full)
    stored_raw = tmp_path / "stored.csv"
    stored_raw.write_bytes(raw_data(10))
    with pytest.raises(NoSpace, match="free some space and run the command again"):
        fetch(StoredObject(str(stored_raw)), tmp_path / "folder")


class _Refusing(BaseHTTPRequestHandler):
    """Google, when a bucket wants its readers to pay."""

    def do_GET(self) -> None:
        body = b'{"error": {"code": 400, "message": "Bucket is a requester pays bucket"}}'
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


def test_other_rejections_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(InvalidInput, match="requester pays"):
            fetch(source("gs://bucket"), tmp_path)
        server.shutdown()


def test_an_unavailable_server_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{ports.any_free()}")
    pauses: list[float] = []
    with pytest.raises(ObjectUnavailable, match=r"5 times in a row \(ConnectionError: .*check the network"):
        download(source("gs://bucket"), tmp_path, NEWEST, no_bar, pauses.append)
    assert pauses == [0.5, 1, 2, 4]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key of a service account, made here; its token server is a port where nobody listens."""
    openssl = subprocess.run(("openssl", "genpkey", "-algorithm", "RSA"), capture_output=True, text=True, check=True)
    facts = {
        "type": "service_account",
        "client_email": "nobody@example.org",
        "private_key_id": "0",
        "private_key": openssl.stdout,
        "token_uri": f"http://127.0.0.1:{ports.any_free()}/token",
    }
    path = tmp_path / "key.json"
    path.write_text(json.dumps(facts))
    return path


def test_a_key_file_warns_and_is_not_printed(
    tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
    monkeypatch.setenv("RAW_DATA_URL", "gs://bucket/RawData.csv")
    monkeypatch.setattr(resumed, "FIRST_PAUSE", 0)
    monkeypatch.setattr("sys.argv", ["download_raw_data", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        command.run()
    output = "".join(capsys.readouterr())
    assert ended.value.code == 2
    assert "Warning: A service account's key file is in use." in output
    assert "5 times in a row (TransportError" in output
    key = json.loads(key_file.read_text())["private_key"].splitlines()
    assert not [line for line in (str(key_file), *key[1:-1]) if line in output]


def test_unreadable_credentials_are_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "key.json"
    broken.write_text('{"type": "service_account", "private_key": "very-secret"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(broken))
    with pytest.raises(NoAccess, match="gcloud auth application-default login") as refused:
        make_client(False, print)
    assert "very-secret" not in str(refused.value)
