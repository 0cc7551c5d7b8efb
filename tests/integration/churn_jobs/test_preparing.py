"""Preparing on real servers: the right features, once, whatever is run again, killed or changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import delete, func, select, update

from churn.columns import USAGE, Cdr
from churn.tables import cdr, processed, processed_staging
from churn_jobs import processed_store
from churn_jobs.days import AskedRange, DayRange
from churn_jobs.features import PREPARED
from churn_jobs.job import Job
from churn_jobs.one_at_a_time import only_one
from churn_jobs.preparing import prepare
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.objects import open_store
from driftline.store.tables import ledger
from stack.testing.fixtures import DatabaseAddress
from tests.integration.churn_jobs.raw_records import content, insert, odd_records
from tests.integration.churn_jobs.trailing_by_pandas import prepared

FIRST = date(2026, 3, 1)
LAST = FIRST + timedelta(days=11)
ALL = AskedRange()


@pytest.fixture
def records() -> pd.DataFrame:
    return odd_records(FIRST, days=12, users=6)


def rows_of(job: Job) -> pd.DataFrame:
    return content(job.engine, processed, ("batch_number",))[list(PREPARED)]


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    numbers = [name for name in expected.columns if name not in ("Date", "User")]
    pd.testing.assert_frame_equal(found[["Date", "User"]], expected[["Date", "User"]])
    pd.testing.assert_frame_equal(found[numbers].astype("float64"), expected[numbers].astype("float64"), rtol=1e-9)


def test_features_are_those_of_an_independent_computation_on_both_servers(
    database: DatabaseAddress, job_on: Callable[[DatabaseAddress], Job], records: pd.DataFrame
) -> None:
    job = job_on(database)
    insert(job.engine, records)
    done = prepare(job, ALL)
    expected = prepared(records, FIRST, LAST)
    assert expected[[*USAGE, "M_Out_Call_Count_7d_sum", "M_Out_Call_Count_7d_std"]].isna().any().all()
    assert_equal(rows_of(job), expected)
    assert (done.days, done.rows, done.batches) == (DayRange(FIRST, LAST), len(expected), 12)
    assert_one_file_a_day(job, expected)


def assert_one_file_a_day(job: Job, expected: pd.DataFrame) -> None:
    folder = Path(job.objects.at("prepared"))
    stored = pd.read_parquet(folder)
    stored["Date"] = pd.to_datetime(stored["Date"].astype(str)).dt.date
    assert_equal(stored[list(PREPARED)].sort_values(["Date", "User"], ignore_index=True), expected)
    assert sorted(path.name for path in folder.iterdir()) == [f"Date={day}" for day in DayRange(FIRST, LAST)]
    assert all([file.name for file in path.glob("*.parquet")] == ["rows.parquet"] for path in folder.iterdir())


@pytest.mark.parametrize("bucket", ["gcs_bucket", "s3_bucket"])
def test_the_days_in_a_bucket_are_those_of_the_table(
    job: Job, records: pd.DataFrame, bucket: str, request: pytest.FixtureRequest
) -> None:
    insert(job.engine, records)
    store = open_store(f"{request.getfixturevalue(bucket)}/driftline")
    there = replace(job, objects=store)
    days, middle = AskedRange(LAST - timedelta(days=2), LAST), LAST - timedelta(days=1)
    assert prepare(there, days).files == 3
    files = [name for name in store.list_keys() if name.endswith("/rows.parquet")]
    assert [name.split("/")[1] for name in files] == [f"Date={LAST - timedelta(days=n)}" for n in (2, 1, 0)]
    stored = pd.concat([pd.read_parquet(BytesIO(store.get(name))) for name in files], ignore_index=True)
    expected = rows_of(job).drop(columns="Date")
    pd.testing.assert_frame_equal(stored.astype(expected.dtypes), expected)
    assert prepare(there, days).files == 0
    with job.engine.begin() as connection:
        connection.execute(delete(cdr).where(func.date(cdr.c[Cdr.DATE]) == middle))
    prepare(there, days)
    assert not any(f"Date={middle}/" in name for name in store.list_keys())
    assert not job.scratch.exists() or not list(job.scratch.iterdir())


def test_the_range_in_parts_is_the_same_and_the_same_again_changes_nothing(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    middle = FIRST + timedelta(days=5)
    prepare(job, AskedRange(middle, LAST))
    assert_equal(rows_of(job), prepared(records, middle, LAST))  # it looks back by itself
    prepare(job, AskedRange(FIRST, middle))
    before, batches = content(job.engine, processed), content(job.engine, ledger)
    assert_equal(before[list(PREPARED)], prepared(records, FIRST, LAST))
    again = prepare(job, ALL)
    assert (again.batches, again.files) == (0, 0)
    pd.testing.assert_frame_equal(content(job.engine, processed), before)
    pd.testing.assert_frame_equal(content(job.engine, ledger), batches)
    assert len(batches) == 12


def test_killed_half_way_the_next_run_ends_in_the_same_table(
    job: Job, records: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(job.engine, records)
    replace, moved = processed_store.replace, []

    def dies_at_the_fifth(*arguments: object) -> bool:
        moved.append(replace(*arguments))  # type: ignore[arg-type]  # passed through
        if len(moved) == 5:
            raise KeyboardInterrupt
        return moved[-1]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(processed_store, "replace", dies_at_the_fifth)
        prepare(job, ALL)
    assert len(content(job.engine, ledger)) == 4
    assert len(content(job.engine, processed_staging)) > 0
    assert prepare(job, ALL).batches == 8
    assert_equal(rows_of(job), prepared(records, FIRST, LAST))
    assert content(job.engine, processed_staging).empty


def test_labels_that_come_and_go_are_followed(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    prepare(job, ALL)
    before = rows_of(job)
    one = records.iloc[-1]
    mine = (cdr.c[Cdr.MSISDN] == one[Cdr.MSISDN]) & (cdr.c[Cdr.RECORD_ID] == one[Cdr.RECORD_ID])
    with job.engine.begin() as connection:
        kept = connection.execute(select(cdr.c[Cdr.MOC_COUNT]).where(mine)).scalar_one()
    for value in (123_456_789, kept):
        with job.engine.begin() as connection:
            connection.execute(update(cdr).where(mine).values({Cdr.MOC_COUNT: value}))
        assert prepare(job, ALL).batches == 1
    pd.testing.assert_frame_equal(rows_of(job), before)
    assert content(job.engine, ledger)["batch_id"].iloc[-1].endswith("/2")


def test_subscribers_and_days_that_are_gone_go(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    prepare(job, ALL)
    middle = FIRST + timedelta(days=5)
    gone = (cdr.c[Cdr.MSISDN] == "99901") | (func.date(cdr.c[Cdr.DATE]) == middle)
    with job.engine.begin() as connection:
        connection.execute(delete(cdr).where(gone))
    left = records[(records[Cdr.MSISDN] != "99901") & (records[Cdr.DATE].dt.date != middle)]
    prepare(job, ALL)
    assert_equal(rows_of(job), prepared(left, FIRST, LAST))
    assert not Path(job.objects.at(f"prepared/Date={middle}")).exists()


def test_large_days_travel_in_parts(job: Job, records: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(job.engine, records)
    monkeypatch.setattr("churn_jobs.batches.FULL", 3)
    prepare(job, ALL)
    assert content(job.engine, ledger)["batch_id"].str.contains("/1of2/|/2of2/").all()
    assert_equal(rows_of(job), prepared(records, FIRST, LAST))
    assert prepare(job, ALL).batches == 0


def test_negative_usage_is_unknown_where_the_server_lets_it_in(
    mysql: DatabaseAddress, job_on: Callable[[DatabaseAddress], Job], records: pd.DataFrame
) -> None:
    job = job_on(mysql)
    insert(job.engine, records.assign(**{Cdr.MOC_COUNT: records[Cdr.MOC_COUNT] - 10**8}))
    prepare(job, ALL)
    negative = records[Cdr.MOC_COUNT] < 10**8
    cleaned = records.assign(**{Cdr.MOC_COUNT: (records[Cdr.MOC_COUNT] - 10**8).mask(negative)})
    assert negative.sum() > 5
    assert_equal(rows_of(job), prepared(cleaned, FIRST, LAST))


def test_a_wrong_range_is_told_the_available_one(job: Job, records: pd.DataFrame) -> None:
    with pytest.raises(NotFound, match="no rows yet"):
        prepare(job, ALL)
    insert(job.engine, records)
    with pytest.raises(InvalidInput, match="2026-03-01 to 2026-03-12"):
        prepare(job, AskedRange(FIRST - timedelta(days=1), None))


def test_a_second_run_waits_its_turn(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("churn_jobs.one_at_a_time.PATIENCE_SECONDS", 0)
    with only_one(job.engine, "prepare_data"), pytest.raises(Conflict, match="Another run of prepare_data"):
        prepare(job, ALL)
    with only_one(job.engine, "prepare_data"):
        assert Path(job.objects.address).name == "objects"
