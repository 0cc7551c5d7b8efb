"""pip-audit itself is run, against a database of ours that speaks OSV's protocol on a loopback port."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from devtools.checks import audit
from devtools.checks.newest_python import LOCK as NEWEST_LOCK
from driftline.tls import server_context
from stack import paths
from stack.servers import ports
from stack.services.certificates import Certificates

LOCK = f"harmless==1.0 --hash=sha256:{'0' * 64}\nbroken-thing==2.1 --hash=sha256:{'1' * 64}\n"
FAULT = {
    "id": "OSV-2000-1",
    "affected": [
        {
            "package": {"name": "broken-thing", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """Knows one fault of one version."""

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_broken = (query["package"]["name"], query["version"]) == ("broken-thing", "2.1")
        body = json.dumps({"vulns": [FAULT]} if is_broken else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def database() -> Iterator[tuple[str, ...]]:
    with HTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield address(server.server_port)
        server.shutdown()


def address(port: int, scheme: str = "http") -> tuple[str, ...]:
    return ("--vulnerability-service", "osv", "--osv-url", f"{scheme}://127.0.0.1:{port}/v1/query")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text(LOCK)
    return file


def test_a_known_vulnerability_fails_the_audit(
    lock: Path, database: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.audit([lock], {"ours": database}, required=False) == audit.FAILED
    output = capsys.readouterr().err
    assert "broken-thing 2.1: OSV-2000-1, fixed in 2.2" in output
    assert "2 packages checked against ours: 1 known vulnerabilities." in output
    assert "NOT CHECKED" not in output


def test_packages_without_one_pass(lock: Path, database: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    lock.write_text(LOCK.replace("2.1", "2.2"))
    assert audit.audit([lock], {"ours": database}, required=True) == 0
    assert "2 packages checked against ours: 0 known" in capsys.readouterr().err


@pytest.mark.parametrize(("required", "status"), [(False, 0), (True, audit.FAILED)])
def test_an_unreachable_database_is_reported_as_not_checked(
    lock: Path, required: bool, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.audit([lock], {"ours": address(ports.any_free())}, required=required) == status
    assert "NOT CHECKED for known vulnerabilities: no vulnerability database (ours)" in capsys.readouterr().err


def test_a_database_that_cannot_be_trusted_is_out_of_reach(lock: Path, certificates: Certificates) -> None:
    with HTTPServer(("127.0.0.1", 0), Database) as server:
        context = server_context(certificates.certificate, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert audit.query([lock], address(server.server_port, "https")) is None
        server.shutdown()


def test_locks_that_are_resolved_apart_are_both_audited(
    lock: Path, database: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    newest = lock.with_name(NEWEST_LOCK.name)
    newest.write_text(f"harmless==2.0 --hash=sha256:{'2' * 64}\n")
    assert audit.audit([lock, newest], {"ours": database}, required=False) == audit.FAILED
    output = capsys.readouterr().err
    assert "broken-thing 2.1: OSV-2000-1, fixed in 2.2" in output
    assert "3 packages checked against ours: 1 known vulnerabilities." in output


def test_the_next_database_is_queried(lock: Path, database: tuple[str, ...]) -> None:
    databases = {"away": address(ports.any_free()), "ours": database}
    assert audit.audit([lock], databases, required=False) == audit.FAILED


def test_unknown_packages_are_reported_as_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    audited = {"name": "harmless", "version": "1.0", "vulns": []}
    answer = audit.result_of({"dependencies": [audited, {"name": "secretive", "skip_reason": "not found"}]})
    assert answer == audit.AuditResult(checked=1, unchecked=("secretive",), vulnerabilities=())
    assert audit._report("ours", answer, required=True) == audit.FAILED
    assert (
        "NOT CHECKED for known vulnerabilities: 1 packages are unknown to ours (secretive)." in capsys.readouterr().err
    )


def test_a_broken_lock_file_is_an_error(lock: Path, database: tuple[str, ...]) -> None:
    lock.write_text("harmless>=1.0\n")
    with pytest.raises(audit.AuditFailed):
        audit.audit([lock], {"ours": database}, required=False)


def test_every_lock_file_is_audited() -> None:
    names = {f"{file.relative_to(paths.ROOT)}" for file in audit.locks()}
    assert {"requirements/bootstrap.lock", "requirements/dev.lock", "examples/dse/airflow.lock"} <= names
    search = ("git", "grep", "-lE", "^ +--hash=sha256:[0-9a-f]{64}", "--", "requirements", "examples")
    assert names == {*subprocess.check_output(search, cwd=paths.ROOT, text=True).split()}


def test_the_locks_of_examples_are_audited_apart(
    tmp_path: Path, database: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two examples may pin two versions of a package, which pip-audit refuses in one call."""
    monkeypatch.setattr(audit, "EXAMPLES", tmp_path)
    files = [tmp_path / "one.lock", tmp_path / "two.lock"]
    for number, file in enumerate(files, start=1):
        file.write_text(f"harmless=={number}.0 --hash=sha256:{'2' * 64}\n")
    assert audit.locks()[-2:] == files
    assert audit.audit(files, {"ours": database}, required=False) == 0
    assert "2 packages checked against ours" in capsys.readouterr().err
