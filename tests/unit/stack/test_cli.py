"""What people see of the commands."""

import os
import re
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from driftline.tls import client_context, server_context
from examples.processes import BackgroundProcess
from stack import paths
from stack.cli import main
from stack.servers import ports, processes
from stack.services import lifecycle
from stack.services.certificates import Certificates
from stack.services.site import Site
from stack.supervision import control


def test_make_prints_help_for_every_target() -> None:
    completed = subprocess.run(
        ("make", "--no-print-directory"), cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    makefile = (paths.ROOT / "Makefile").read_text()
    targets = makefile.split(".PHONY:")[1].splitlines()[0].split()
    assert {line.split()[1] for line in completed.stdout.splitlines()} == set(targets)


def test_certificates_are_made_for_their_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path / "var"))
    assert main(["certificates", "db.example", "10.0.0.7"]) == 0
    certificates = Certificates.in_folder(tmp_path / "var" / "tls")
    assert f"CA:           {certificates.authority}" in capsys.readouterr().err
    assert {
        file.stat().st_mode & 0o777 for file in (certificates.authority, certificates.certificate, certificates.key)
    } == {0o600}
    server, client = server_context(certificates.certificate, certificates.key), client_context(certificates.authority)
    for name, fits in (("db.example", True), ("10.0.0.7", True), ("localhost", False)):
        assert _is_trusted(server, client, name) is fits


def _is_trusted(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """Shake hands in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    calling = client.wrap_bio(to_client, to_server, server_hostname=name)
    for side in (calling, serving, calling):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return True


def test_nothing_runs_in_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path / "var"))
    assert main(["status"]) == 3
    assert re.search(r"Scored stream +off; `make up LIVE=1` starts it", capsys.readouterr().err)
    assert main(["down"]) == 0
    assert main(["clean"]) == 0
    assert not (tmp_path / "var").exists()


def test_only_the_checkouts_own_folder_takes_the_caches_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, checkout_var = tmp_path / "cache", tmp_path / "own"
    cache.mkdir()
    monkeypatch.setattr(lifecycle, "CACHES", (cache,))
    monkeypatch.setattr(paths, "VAR", checkout_var)
    for var in (tmp_path / "other", checkout_var):
        assert cache.exists()
        monkeypatch.setenv("DRIFTLINE_VAR", str(var))
        Site.from_environment().claim()
        assert main(["clean"]) == 0
        assert not var.exists()
    assert not cache.exists()


def test_clean_stops_the_examples_and_their_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lifecycle, "CACHES", ())
    monkeypatch.setattr(paths, "VAR", tmp_path)
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path))
    examples, sleep, environment = tmp_path / "examples", ("sleep", "60"), {"PATH": os.environ["PATH"]}
    process = BackgroundProcess("sleeper", examples / "processes")
    process.start(sleep, environment, tmp_path)
    pid = int((process.folder / "sleeper.lock").read_text())
    servers = Site.at(examples / "stack", {})
    servers.claim()
    monitor = processes.start(servers.home, "monitor", sleep, environment, tmp_path)
    assert main(["clean"]) == 0
    assert not tmp_path.exists()
    assert [os.WTERMSIG(os.waitpid(ended, 0)[1]) for ended in (pid, monitor.pid)] == [signal.SIGTERM] * 2


def test_examples_of_another_folder_are_stopped_and_keep_their_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sleep, environment = ("sleep", "60"), {"PATH": os.environ["PATH"]}
    process = BackgroundProcess("sleeper", tmp_path / "processes")
    process.start(sleep, environment, tmp_path)
    pid = int((process.folder / "sleeper.lock").read_text())
    servers = Site.at(tmp_path / "stack", {})
    servers.claim()
    monitor = processes.start(servers.home, "monitor", sleep, environment, tmp_path)
    make = ("make", "--no-print-directory", "--dry-run", "examples-down", f"var={tmp_path}")
    command = subprocess.run(make, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert main(command[command.index("stack") + 1 :]) == 0
    assert [os.WTERMSIG(os.waitpid(ended, 0)[1]) for ended in (pid, monitor.pid)] == [signal.SIGTERM] * 2
    assert process.log.exists()


def test_a_folder_in_which_no_example_ran_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples-down", "--var", str(tmp_path)]) == 2
    assert f"No example ran in {tmp_path}; give the folder that was its --var." in capsys.readouterr().err


def test_a_folder_with_more_than_examples_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "VAR", tmp_path)
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path))
    for name in ("examples", "thesis"):
        (tmp_path / name).mkdir()
    assert main(["clean"]) == 2
    assert "was not created by Driftline" in capsys.readouterr().err


def test_down_works_though_the_external_server_has_no_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("DB_HOST", "127.0.0.1")
    monkeypatch.delenv("DB_USER", raising=False)
    assert (main(["down"]), main(["clean"])) == (0, 0)
    assert main(["status"]) == 2
    assert "DB_USER: missing; add it" in capsys.readouterr().err


def test_an_unreachable_external_server_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"DB_HOST": "127.0.0.1", "DB_PORT": str(ports.any_free()), "DB_USER": "u", "DB_PASSWORD": "p"}
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports.any_free()}", "DRIFTLINE_VAR": str(tmp_path / "var")}
    for name, value in (values | kafka).items():
        monkeypatch.setenv(name, value)
    assert main(["up"]) == 2
    output = capsys.readouterr().err
    assert f"The external server, 127.0.0.1:{values['DB_PORT']}, cannot be reached: check DB_HOST and DB_PORT" in output
    assert control.find(Site.from_environment().home) is None


def test_there_are_no_logs_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path))
    assert main(["logs"]) == 2
    assert "start the stack with `make up`" in capsys.readouterr().err


def test_settings_are_printed_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", str(tmp_path / "a folder"))
    assert main(["env", "jobs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "export DB_USER=driftline_jobs" in lines
    assert f"export DRIFTLINE_VAR='{tmp_path}/a folder'" in lines
    assert main(["env", "jobs", "owner"]) == 0
    of_both = capsys.readouterr().out.splitlines()
    assert "export DB_USER=driftline_owner" in of_both
    assert {line for line in of_both if "KAFKA" in line} == {line for line in lines if "KAFKA" in line}
