"""An expected error of an example is a message and the exit status 1, not a traceback."""

import errno
import os
import runpy
import sys
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import KafkaException
from pyspark.errors import PySparkException

from driftline import InvalidInput
from examples import run
from examples.dse import __main__ as dse
from examples.dse import index_file, topic_days, trading_calendar, training
from examples.ecg import __main__ as ecg
from examples.entry_points import message_of, run_main
from examples.lakehouse import __main__ as lakehouse
from examples.lakehouse.hudi import __main__ as hudi
from examples.lakehouse.hudi import session
from examples.monitor_api import NoAnswer
from examples.titanic import __main__ as titanic

EXAMPLES = {"dse": dse, "ecg": ecg, "lakehouse": lakehouse, "titanic": titanic}
STEPS = {
    "index_file": index_file,
    "topic_days": topic_days,
    "trading_calendar": trading_calendar,
    "training": training,
}
PROGRAMS = {**EXAMPLES, "hudi": hudi, **STEPS}


def run_example(monkeypatch: pytest.MonkeyPatch, name: str, *options: str) -> object:
    """Run the program of an example in this process and return its exit status, or the message in its place."""
    monkeypatch.setattr(sys, "argv", [name, *options])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(f"{PROGRAMS[name].__file__}", run_name="__main__")
    return ended.value.code


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_error_of_an_example_is_a_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NoAnswer("The monitor does not answer.")

    monkeypatch.setattr(run, "start_servers", refuse)
    assert run_example(monkeypatch, name, "--var", str(tmp_path)) == 1
    assert capsys.readouterr().err == "The monitor does not answer.\n"


def test_an_error_of_the_hudi_job_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Path) -> None:
        raise PySparkException("Column 'items' was INT and is now BIGINT.")

    monkeypatch.setattr(session, "hudi_session", refuse)
    assert run_example(monkeypatch, "hudi", "tables", "show", "--jars", "jars") == 1
    assert capsys.readouterr().err == "Column 'items' was INT and is now BIGINT.\n"


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--file", None, "{file}: No such file or directory."),
        ("--file", "Date,Value\n2024-01-01,1\n", "There is no column price or close; the file has Date, Value."),
        ("--holidays", "2024-04-10\n\n2024-13-01\n", "Line 3 of {file} has '2024-13-01', which is not a date; write "),
        ("--holidays", None, "{file}: No such file or directory."),
    ],
)
def test_a_faulty_file_of_days_is_named(
    option: str,
    content: str | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "days.csv"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(run, "start_servers", lambda *_, **__: pytest.fail("servers are started"))
    assert run_example(monkeypatch, "dse", "--var", str(tmp_path), option, str(file)) == 1
    assert capsys.readouterr().err.startswith(message.format(file=file))


@pytest.mark.parametrize("name", ["index_file", "training"])
def test_a_missing_file_of_a_step_of_dse_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argument = tmp_path / "training.csv" if name == "index_file" else tmp_path
    assert run_example(monkeypatch, name, str(argument)) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'training.csv'}: No such file or directory.\n"


def test_an_error_of_kafka_in_a_step_of_dse_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise KafkaException("The broker does not answer.")

    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(confluent_kafka, "Consumer", refuse)
    assert run_example(monkeypatch, "topic_days", str(tmp_path)) == 1
    assert capsys.readouterr().err == "The broker does not answer.\n"


@pytest.mark.parametrize(("day", "status"), [("2024-01-07", 0), ("2024-01-06", trading_calendar.NOT_A_TRADING_DAY)])
def test_the_calendar_of_dse_ends_with_its_answer(day: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_example(monkeypatch, "trading_calendar", day) == status


@pytest.mark.parametrize("day", ["2008-01-01", "2024-01-02"])
def test_a_stream_without_days_before_or_in_it_is_refused(
    day: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "start_servers", lambda *_, **__: pytest.fail("servers are started"))
    assert run_example(monkeypatch, "dse", "--var", str(tmp_path), "--stream-from", day) == 1
    assert capsys.readouterr().err.startswith(f"--stream-from is {day}, and the days are 2008-01-0")
    assert not any(tmp_path.iterdir())


def test_a_stream_with_too_few_days_before_it_starts_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "start_servers", lambda *_, **__: pytest.fail("servers are started"))
    assert run_example(monkeypatch, "dse", "--var", str(tmp_path), "--stream-from", "2008-01-20") == 1
    assert "days are too few to train on" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["NaT", "2020-01-01T00:00Z", "soon"])
def test_a_stream_begins_on_a_date(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_example(monkeypatch, "dse", "--var", str(tmp_path), "--stream-from", text) == 2
    assert "argument --stream-from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("dse", "EXAMPLES_KAFKA"),
        ("ecg", "EXAMPLES_KAFKA"),
        ("lakehouse", "EXAMPLES_KAFKA"),
        ("titanic", "EXAMPLES_SERVING"),
    ],
)
def test_an_address_that_is_missing_is_named(
    name: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXAMPLES_MONITOR", "http://127.0.0.1:9")
    monkeypatch.delenv("EXAMPLES_SERVING", raising=False)
    monkeypatch.setenv("EXAMPLES_KAFKA", "")
    assert f"set {missing} to the address" in str(run_example(monkeypatch, name, "--var", str(tmp_path)))


def test_details_are_printed_and_other_errors_are_raised(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(error: Exception) -> int:
        raise error

    assert run_main(lambda: 0) == 0
    assert run_main(lambda: fail(InvalidInput("Wrong.", details=("one", "two"))), InvalidInput) == 1
    assert capsys.readouterr().err == "Wrong.\n  - one\n  - two\n"
    assert run_main(lambda: fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "full"))) == 1
    assert capsys.readouterr().err == "full: No space left on device.\n"
    with pytest.raises(KeyError):
        run_main(lambda: fail(KeyError("a fault of the program")), InvalidInput)


def test_an_error_within_a_stream_is_its_message() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in score\nRuntimeError: Not stored: 3 rows.\n'
    message = f"[STREAM_FAILED] Query terminated with exception: Return Message: {trace}\n=== Streaming Query ==="
    assert message_of(PySparkException(message)) == "Not stored: 3 rows."


def test_an_interruption_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert run_main(interrupt) == 130
    assert capsys.readouterr().err == "Interrupted; run the same command again to continue.\n"
