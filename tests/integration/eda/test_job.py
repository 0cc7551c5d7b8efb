"""The exploration on MariaDB and MySQL: the database's aggregates equal those of pandas."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine

from churn.columns import CDR_FILE_COLUMNS, CDR_USAGE, Cdr
from churn.ledger import ChurnBatchKind
from churn.tables import cdr
from driftline.errors import DatabaseUnavailable, NotFound, NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store import bulk, ledger
from driftline.store.database import in_transaction, make_engine
from eda import job as exploration_job
from eda import query_params, records
from eda.quantities import VARIABLES
from eda.settings import FOLDER, ExplorationSettings
from eda.span import DaySpan
from eda.statistics import days
from eda.statistics.profile import DAY_NUMBER
from eda.statistics.sample import draws
from tests.unit.eda import sample_records
from tests.unit.eda.sample_records import FIRST

NOW = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = 7
WEEK = DaySpan(FIRST, date(2026, 1, 7))
COLUMNS = (*CDR_FILE_COLUMNS, Cdr.RECORD_ID)
FILES = ["by_day.svg", "churn_relation.svg", "correlations.svg", "distributions.svg", "missing.svg", "report.html"]


def stored_records() -> pd.DataFrame:
    """A week of records with NULLs, a subscriber with two records a day, and stamps at both edges of a day."""
    frame = sample_records.records(DAYS)
    second = frame[frame[Cdr.MSISDN] == "3"].assign(**{Cdr.RECORD_ID: lambda rows: rows[Cdr.RECORD_ID] + "/2"})
    frame = pd.concat([frame, second], ignore_index=True)
    frame.loc[frame.index[::9], Cdr.DATA_VOLUME] = np.nan
    frame.loc[frame[DAY_NUMBER] == FIRST.toordinal() + 2, Cdr.MTSMS_COUNT] = np.nan
    midnight = pd.to_datetime([date.fromordinal(number) for number in frame[DAY_NUMBER]], utc=True)
    last = pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    frame[Cdr.DATE] = midnight + pd.to_timedelta(np.where(frame.index % 2 == 0, 0, last.value))
    return frame


def store(engine: Engine, frame: pd.DataFrame) -> None:
    payload = bulk.encode(frame.astype(dict.fromkeys(map(str, VARIABLES), "Int64")), COLUMNS)
    batch = ledger.Batch("test/1", ChurnBatchKind.RECORDS, ledger.content_hash(payload), len(frame), NOW)

    def work(connection: Connection) -> None:
        number = ledger.open_batch(connection, batch, [])
        assert number is not None
        bulk.load(connection, cdr, COLUMNS, payload, {Cdr.BATCH_NUMBER: number})

    in_transaction(engine, work)


Params = Callable[..., ExplorationSettings]


@pytest.fixture
def settings(tmp_path: Path) -> Params:
    """Create settings whose query parameters are these keywords."""

    def make(**params: str | None) -> ExplorationSettings:
        file = tmp_path / "query_params.json"
        file.write_text(json.dumps(params))
        return ExplorationSettings(output=tmp_path / "output", query_params=file)

    return make


def test_day_aggregates_equal_those_of_pandas(engine: Engine) -> None:
    store(engine, stored_records())
    with engine.connect() as connection:
        by_day = days.from_rows(records.day_rows(connection, WEEK), WEEK)
        assert records.count_subscribers(connection, WEEK) == sample_records.SUBSCRIBERS
        assert records.available_span(connection) == WEEK
    expected = days.from_rows(sample_records.day_rows(stored_records()), WEEK)
    for part in ("counts", "totals", "missing"):
        pd.testing.assert_frame_equal(getattr(by_day, part), getattr(expected, part))


def test_chunks_contain_every_row(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK_ROWS", 100)
    stored, counts = stored_records(), list[int]()
    store(engine, stored)
    with engine.connect() as connection:
        chunks = list(records.chunks(connection, WEEK, counts.append))
    assert [len(chunk) for chunk in chunks[:-1]] == [100] * (len(stored) // 100)
    assert counts[-1] == len(stored)
    together = pd.concat(chunks).sort_values("draw", ignore_index=True)
    expected = stored.assign(draw=draws(stored)).sort_values("draw", ignore_index=True)
    columns = [*map(str, VARIABLES), DAY_NUMBER, "draw"]
    pd.testing.assert_frame_equal(together[columns], expected[columns], check_names=False, check_dtype=False)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(None, None, 7), ("2026-01-03", "2026-01-03", 1), ("2026-01-06", None, 2), ("2020-01-01", "2026-01-02", 2)],
)
def test_both_ends_are_included(
    engine: Engine, settings: Params, start: str | None, end: str | None, expected: int
) -> None:
    store(engine, stored_records())
    requested = query_params.parse(settings(start_date=start, end_date=end).query_params.read_text())
    with engine.connect() as connection:
        exploration = exploration_job.explore(connection, requested)
    assert exploration.span.days == expected
    assert exploration.days.records == expected * (sample_records.SUBSCRIBERS + 1)
    assert exploration.profile.sample.offered == exploration.days.records
    assert exploration.profile.of(CDR_USAGE[0]).total == exploration.days.records


def test_the_command_writes_plots_and_report(
    engine: Engine, database_settings: DatabaseSettings, settings: Params
) -> None:
    store(engine, stored_records())
    configured = settings(start_date="2026-01-02", end_date=None)
    completed = command(database_settings, configured)
    assert (completed.returncode, completed.stdout) == (0, "")
    assert sorted(path.name for path in configured.output.iterdir()) == FILES
    page = (configured.output / "report.html").read_text()
    assert "Call records, 2026-01-02 to 2026-01-07" in page
    assert f"{6 * (sample_records.SUBSCRIBERS + 1):,}" in page
    for step in ("exploring 2026-01-02 to 2026-01-07 (6 days)", "aggregated", "profiled", "drew 5 plots", "wrote"):
        assert any(step in line and line.endswith(" s)") for line in completed.stderr.splitlines()), completed.stderr


def test_a_range_without_records_shows_the_available_one(
    engine: Engine, database_settings: DatabaseSettings, settings: Params
) -> None:
    store(engine, stored_records())
    configured = settings(start_date="2027-01-01", end_date=None)
    completed = command(database_settings, configured)
    assert completed.returncode == 2
    assert "Available: 2026-01-01 to 2026-01-07" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not configured.output.exists()


def test_a_range_without_records_is_an_error(engine: Engine, settings: Params) -> None:
    stored = stored_records()
    store(engine, stored[stored[DAY_NUMBER] != FIRST.toordinal() + 3])
    with pytest.raises(NotFound, match=r"no records in 2026-01-04\. Available: 2026-01-01 to 2026-01-07"):
        exploration_job.run(settings(start_date="2026-01-04", end_date="2026-01-04"), engine, lambda: NOW)


def test_the_error_for_an_empty_table_says_what_to_do(engine: Engine, settings: Params) -> None:
    with pytest.raises(NotFound, match="load a history or start a stream"):
        exploration_job.run(settings(), engine, lambda: NOW)


def test_a_database_that_is_not_migrated_is_reported(database_settings: DatabaseSettings, settings: Params) -> None:
    with pytest.raises(NotMigrated, match="python -m churn upgrade"):
        exploration_job.run(settings(), make_engine(database_settings), lambda: NOW)


def test_an_unreachable_server_is_reported(settings: Params) -> None:
    away = DatabaseSettings.model_validate({"host": "127.0.0.1", "port": 1, "user": "nobody", "password": "none"})
    with pytest.raises(DatabaseUnavailable, match="check DB_HOST and DB_PORT"):
        exploration_job.run(settings(), make_engine(away), lambda: NOW)


def command(database: DatabaseSettings, settings: ExplorationSettings) -> subprocess.CompletedProcess[str]:
    """Run `python -m eda` as a user does: from the checkout, configured only by the environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_USER": database.user,
        "DB_PASSWORD": database.password.get_secret_value(),
        "DB_NAME": database.name,
        "EDA_OUTPUT": str(settings.output),
        "EDA_QUERY_PARAMS": str(settings.query_params),
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "eda"],
        cwd=FOLDER.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
