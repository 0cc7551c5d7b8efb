"""After a full run: its generated passwords are in their own files and nowhere else, and its logs hold no secret."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest

from devtools.checks.leaks import files_below, leaks
from stack.testing.isolated_stack import IsolatedStack
from tests.known_values import files_with


@pytest.fixture(scope="module", autouse=True)
def own_servers(loop: IsolatedStack) -> None:
    """Whose passwords the run has made."""
    if loop.external:
        pytest.skip("the servers were given, and their password with them")


@pytest.fixture(params=["undisturbed", pytest.param("killed", marks=pytest.mark.kills)])
def var(request: pytest.FixtureRequest, loop: IsolatedStack) -> Path:
    """The var folder of a world whose stream has been judged."""
    if request.param == "undisturbed":
        return loop.var
    killed: Future[IsolatedStack] = request.getfixturevalue("disturbed")
    return killed.result().var


def passwords(var: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted((var / "secrets").iterdir())}


def logs(var: Path) -> list[Path]:
    return [file for file in files_below(var) if file.suffix in (".log", ".txt", ".csv")]


def test_each_password_is_in_its_own_file_only(var: Path) -> None:
    secrets = passwords(var)
    assert {"root.password", "driftline_owner.password", "driftline_monitor.password"} <= secrets.keys()
    holders = files_with(secrets.values(), files_below(var))
    assert [(file.relative_to(var).as_posix(), [*secrets][number]) for file, number in holders] == [
        (f"secrets/{name}", name) for name in secrets
    ]


def test_no_log_holds_what_looks_like_a_secret(var: Path) -> None:
    read = logs(var)
    assert {"kafka.log", "mariadb.log", "monitor.log", "simulator.log"} <= {file.name for file in read}
    assert [str(leak) for leak in leaks(read)] == []


def test_a_secret_in_these_logs_would_have_been_found(loop: IsolatedStack, tmp_path: Path) -> None:
    secrets = passwords(loop.var)
    copied = Path(shutil.copytree(loop.var / "log", tmp_path / "log"))
    with (copied / "simulator.log").open("a") as log:
        log.write(f"connecting as driftline_owner with {secrets['driftline_owner.password']}\n")
    with (copied / "kafka.log").open("ab") as log:
        log.write(b"\xff sasl.jaas.config: DB_PASSWORD=" + secrets["root.password"].encode())
    files = files_with([secrets["driftline_owner.password"]], files_below(copied))
    assert files == [(copied / "simulator.log", 0)]
    assert [(leak.file.name, leak.form) for leak in leaks(files_below(copied))] == [
        ("kafka.log", "Variable with a secret")
    ]


def test_no_process_shows_a_password_in_its_command_line(loop: IsolatedStack) -> None:
    commands = list(command_lines())
    assert any(b"mariadbd" in command for command in commands)
    assert any(b"flaskapp" in command for command in commands)
    for password in passwords(loop.var).values():
        assert not any(password.encode() in command for command in commands)


def command_lines() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield process.read_bytes()
