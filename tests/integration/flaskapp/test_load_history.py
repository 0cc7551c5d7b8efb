"""History from a file or simulated, by the command: typed, once, summarized, and nothing of a file with faults."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from churn.columns import CDR_FILE_COLUMNS, Cdr
from churn.tables import cdr, daily_summary
from driftline.errors import Conflict
from driftline.settings import DatabaseSettings
from driftline.store.tables import labels, ledger, pending_batches
from flaskapp.history import raw_file as file_history
from flaskapp.history.loading import load
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.load_history import load_simulated
from flaskapp.raw.check import check_file
from stack import paths
from tests.integration.flaskapp.observed import contents, record_count

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HISTORY = SimulatedHistory(days=12, subscribers=50, until=date(2026, 1, 31), seed=7, label_delay=3)

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(engine: Engine, database_settings: DatabaseSettings) -> Command:
    """Runs `python -m flaskapp.load_history` with arguments on this test's schema."""
    database = {
        "DB_HOST": database_settings.host,
        "DB_PORT": str(database_settings.port),
        "DB_USER": database_settings.user,
        "DB_PASSWORD": database_settings.password.get_secret_value(),
        "DB_NAME": database_settings.name,
    }
    environment = {**os.environ, **database, "PYTHONPATH": "src"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-m", "flaskapp.load_history", *arguments]
        return subprocess.run(
            program, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


def write_file(path: Path, rows: Sequence[str]) -> None:
    text = "\n".join([",".join(CDR_FILE_COLUMNS), *rows, ""])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_simulated_days_are_loaded_once_and_summarized(command: Command, engine: Engine, tmp_path: Path) -> None:
    arguments = ["--days", "12", "--subscribers", "50", "--until", "2026-01-31", "--folder", str(tmp_path)]
    first = command(*arguments)
    assert first.returncode == 0, first.stderr
    rows, summary = contents(engine, cdr), contents(engine, daily_summary)
    assert f"{len(rows)} records of simulated days, {len(rows)} of them new" in first.stdout
    assert len(summary) == 12
    _check_summary(engine, summary)
    again = command(*arguments)
    assert "0 of them new" in again.stdout
    assert (contents(engine, cdr), contents(engine, daily_summary)) == (rows, summary)
    assert contents(engine, labels) == contents(engine, pending_batches) == []


def _check_summary(engine: Engine, summary: list[tuple[Any, ...]]) -> None:
    usage = (Cdr.MOC_COUNT, Cdr.MOC_DURATION, Cdr.DATA_COUNT, Cdr.DATA_VOLUME)
    day = func.date(cdr.c[Cdr.DATE])
    with engine.connect() as connection:
        sums = connection.execute(select(day, *(func.sum(cdr.c[name]) for name in usage)).group_by(day).order_by(day))
        assert [tuple(row) for row in sums] == summary


def test_labels_not_known_by_the_last_day_are_null(engine: Engine) -> None:
    load_simulated(engine, HISTORY, NOW)
    labels: dict[date, set[int | None]] = {}
    for stamp, *_, churned in contents(engine, cdr):
        labels.setdefault(stamp.date(), set()).add(churned)
    last = HISTORY.until
    assert all(values == {0, 1} for day, values in labels.items() if day <= last - timedelta(days=3))
    assert labels[last] == {None}
    assert 0 not in labels[last - timedelta(days=1)] | labels[last - timedelta(days=2)]


@pytest.mark.kills
def test_a_killed_load_is_completed(engine: Engine) -> None:
    batches = list(HISTORY.batches(lambda _: None))
    assert len(batches) == 2
    load(engine, HISTORY.span, batches[1:], NOW)
    loaded = load_simulated(engine, HISTORY, NOW)
    assert loaded.new == len(batches[0].frame)
    assert loaded.records == record_count(engine)


def test_a_second_history_over_the_same_days_is_rejected(engine: Engine) -> None:
    load_simulated(engine, HISTORY, NOW)
    contents_before = contents(engine, cdr)
    for until in (date(2026, 1, 30), date(2026, 2, 11)):
        second = SimulatedHistory(days=12, subscribers=50, until=until, seed=7, label_delay=3)
        with pytest.raises(Conflict, match="another history"):
            load_simulated(engine, second, NOW)
    assert contents(engine, cdr) == contents_before
    later = SimulatedHistory(days=2, subscribers=50, until=date(2026, 2, 2), seed=7, label_delay=3)
    assert load_simulated(engine, later, NOW).new > 0


@pytest.mark.parametrize("name", ["RawData.csv", "RawData.csv.gz"])
def test_a_file_is_loaded_once_with_its_types(command: Command, engine: Engine, tmp_path: Path, name: str) -> None:
    rows = ["2026-01-01,111,1,60,2,70,0,0,3,99999999999,0", "2026-01-02 10:00:00,222,,NULL,2,70,0,0,3,5,"]
    write_file(tmp_path / name, rows)
    completed = command("--folder", str(tmp_path))
    assert completed.returncode == 0, completed.stderr
    stored = contents(engine, cdr)
    assert [(row[0], row[1], *row[3:]) for row in stored] == [
        (datetime(2026, 1, 1), "111", 1, 60, 2, 70, 0, 0, 3, 99_999_999_999, 0),  # noqa: DTZ001
        (datetime(2026, 1, 2, 10), "222", None, None, 2, 70, 0, 0, 3, 5, None),  # noqa: DTZ001
    ]
    assert [row[2].partition(":")[2] for row in stored] == ["2", "3"]
    assert [row[0] for row in contents(engine, daily_summary)] == [date(2026, 1, 1), date(2026, 1, 2)]
    assert "0 of them new" in command("--folder", str(tmp_path)).stdout
    assert contents(engine, cdr) == stored


def test_a_file_with_faults_is_rejected_with_every_fault(command: Command, engine: Engine, tmp_path: Path) -> None:
    valid_line = "2026-01-01,111,1,60,2,70,0,0,3,5,0"
    write_file(
        tmp_path / "RawData.csv",
        [valid_line, valid_line.replace("60", "x"), valid_line.replace("111", ""), "1,2", *[valid_line] * 9],
    )
    completed = command("--folder", str(tmp_path))
    assert completed.returncode == 2
    assert "3 faults; nothing was loaded" in completed.stderr
    for place in ("line 3, DP_MOC_DURATION: 'x'", "line 4, DP_MSISDN: ''", "line 5: 2 fields"):
        assert place in completed.stderr
    assert contents(engine, cdr) == contents(engine, ledger) == []


def test_a_long_list_of_faults_is_cut_and_counted(command: Command, tmp_path: Path) -> None:
    write_file(tmp_path / "RawData.csv", ["2026-01-01,111,1,60,2,70,0,0,3,5,7"] * 80)
    completed = command("--folder", str(tmp_path))
    assert "80 faults, of which the first 50 are listed" in completed.stderr
    assert completed.stderr.count("  - line ") == 50


def test_a_large_file_is_loaded_in_batches_and_resumed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_history, "MAX_ROWS", 1000)
    path = tmp_path / "RawData.csv"
    write_file(path, [f"2026-01-{1 + n % 28:02d},{n},1,2,3,4,5,6,7,8,1" for n in range(2500)])
    span = file_history.span_of(check_file(path, NOW, lambda _: None))
    assert (span.first, span.last) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 28, tzinfo=UTC))
    batches = list(file_history.file_batches(path, span, lambda _: None))
    assert [len(batch.frame) for batch in batches] == [1000, 1000, 500]
    load(engine, span, batches[1:2], NOW)
    loaded = load(engine, span, file_history.file_batches(path, span, lambda _: None), NOW)
    assert (loaded.records, loaded.new, record_count(engine)) == (2500, 1500, 2500)


def test_a_parameter_out_of_range_is_one_message(command: Command) -> None:
    completed = command("--days", "0")
    assert completed.returncode == 2
    assert "1 to 3,650 days" in completed.stderr
    assert "Traceback" not in completed.stderr
