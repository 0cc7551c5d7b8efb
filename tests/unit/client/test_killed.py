"""A program that is killed loses no row of a call that had returned, and none is sent under two keys."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.client import MonitorClient
from driftline.client.batches.batch_file import BatchFile, BatchStage, FileFormat, RowKind
from driftline.client.spool.spool import Spool
from tests.unit.client.receiver import Receiver, cut, refusal

ROOT = Path(__file__).resolve().parents[3]
MakeClient = Callable[..., MonitorClient]


def acknowledged_before_the_kill(url: str, spool: Path, name: str, seconds: float) -> list[str]:
    """Run the program, kill it after some seconds from its first row on, and return the ids of calls that returned."""
    command = [sys.executable, "-m", "tests.unit.client.killed_program", url, str(spool), name]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        first = program.stdout.readline()
        time.sleep(seconds)
        program.send_signal(signal.SIGKILL)
        lines = (first + program.stdout.read()).decode().split("\n")
    return lines[:-1]


@pytest.mark.slow
def test_a_killed_program_neither_loses_nor_doubles_rows(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    draws = random.Random(7)
    acknowledged: list[str] = []
    for kill in range(5):
        receiver.losses.extend([cut] * draws.randrange(3))
        receiver.faults.extend([refusal(503, "busy", Retry_After="0")] * draws.randrange(3))
        acknowledged += acknowledged_before_the_kill(
            receiver.url, tmp_path / "spool", f"run {kill}", draws.random() * 0.2
        )
    client = make_client()
    assert any(client.flush(1) for _ in range(30))
    assert len(acknowledged) > 100
    assert set(acknowledged) - set(receiver.ids) == set()
    assert {row_id: times for row_id, times in receiver.ids.items() if times > 1} == {}
    assert len(set(receiver.ids) - set(acknowledged)) <= 5  # calls in progress at a kill


@pytest.mark.slow
def test_a_kill_during_a_division_neither_loses_nor_doubles_rows(
    receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    draws = random.Random(7)
    receiver.refuses = lambda row: row["id"].endswith("7")
    acknowledged: list[str] = []
    for kill in range(5):
        receiver.losses.extend([cut] * draws.randrange(3))
        acknowledged += acknowledged_before_the_kill(
            receiver.url, tmp_path / "spool", f"run {kill}", draws.random() * 0.2
        )
    client = make_client()
    assert any(client.flush(1) for _ in range(30))
    valid = {row_id for row_id in acknowledged if not row_id.endswith("7")}
    assert len(valid) > 100
    assert valid - set(receiver.ids) == set()
    assert {row_id: times for row_id, times in receiver.ids.items() if times > 1} == {}
    assert client.status().refused_batches >= len(acknowledged) - len(valid) > 10


@pytest.mark.parametrize("torn", [b'{"id": "b", "x"', b'{"id": "b"}', b"\0\0\0\0\0\0", b"\0\0\n\0"])
def test_a_row_that_was_being_written_is_removed(
    torn: bytes, receiver: Receiver, make_client: MakeClient, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool" / "churn")
    batch = spool.begin(RowKind.PREDICTIONS)
    batch.append(b'{"id":"a"}\n' + torn, ["a", "b"])
    batch.file.close()  # as the system does when a process ends
    assert make_client().flush(5)
    assert receiver.rows == [{"id": "a"}]


def test_the_batch_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    batch = first.begin(RowKind.LABELS)
    batch.append(b'{"id":"a"}\n', ["a"])
    assert second.recover() == 0
    batch.append(b'{"id":"b"}\n', ["b"])
    first.seal(batch)
    [ready] = second.batches(BatchStage.READY)
    assert ready.path.read_bytes() == b'{"id":"a"}\n{"id":"b"}\n'


def test_an_empty_batch_is_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.begin(RowKind.LABELS).file.close()
    assert spool.recover() == 1
    assert spool.batches(BatchStage.READY) == spool.batches(BatchStage.OPEN) == []


def test_what_was_never_complete_is_removed_after_an_hour(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    names = [f"1-{age}.predictions.arrow.new" for age in ("old", "recent")]
    for name in names:
        (tmp_path / name).write_bytes(b"half")
    os.utime(tmp_path / names[0], (0, 0))
    spool.recover()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == names[1:]


def test_a_division_can_be_repeated(tmp_path: Path) -> None:
    """A process may be killed between the replacements and the removal of the whole."""
    spool = Spool(tmp_path)
    batch = spool.begin(RowKind.LABELS)
    batch.append(b"1\n2\n", ["1", "2"])
    spool.seal(batch)
    [complete] = spool.batches(BatchStage.READY)
    content = complete.path.read_bytes()
    spool.replace(complete, [b"1\n", b"2\n"])
    complete.path.write_bytes(content)
    spool.replace(complete, [b"1\n", b"2\n"])
    assert [batch.path.read_bytes() for batch in spool.batches(BatchStage.READY)] == [b"1\n", b"2\n"]
    assert [batch.origin for batch in spool.batches(BatchStage.READY)] == [complete.key] * 2


def test_another_division_has_other_keys(tmp_path: Path) -> None:
    """The monitor may name other rows when the whole is sent again, and no key may have two contents."""
    complete = BatchFile("1-a", RowKind.LABELS, FileFormat.NDJSON, BatchStage.READY, tmp_path)
    first, second = complete.replacements([b"1\n", b"2\n3\n"]), complete.replacements([b"1\n2\n", b"3\n"])
    assert len({batch.key for batch in (*first, *second)}) == 4


def test_replacements_are_sent_before_what_follows_their_batch(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keys = ("1-a", "1-b")
    complete, following = (
        BatchFile(key, RowKind.LABELS, FileFormat.NDJSON, BatchStage.READY, tmp_path) for key in keys
    )
    following.path.touch()
    complete.path.touch()
    first, second, third = spool.replace(complete, [b"1\n2\n", b"3\n", b"4\n"])
    replacements = spool.replace(first, [b"1\n", b"2\n"])
    assert spool.batches(BatchStage.READY) == [*replacements, second, third, following]
    assert {batch.origin for batch in replacements} == {complete.key}
