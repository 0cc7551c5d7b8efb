"""Preparing on real servers: correct features, also after repeated, killed and changed runs."""

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
from churn_jobs.days import DayRange, RequestedDays
from churn_jobs.prepared import processed_store
from churn_jobs.prepared.features import PREPARED
from churn_jobs.prepared.preparing import prepare
from churn_jobs.spark.job import Job
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.objects import open_store
from driftline.store.job_lock import only_one
from driftline.store.tables import ledger
from stack.testing.fixtures import DatabaseAddress
from tests.integration.churn_jobs.raw_records import content, insert, odd_records
from tests.integration.churn_jobs.trailing_by_pandas import prepared

FIRST = date(2026, 3, 1)
LAST = FIRST + timedelta(days=11)
ALL = RequestedDays()


@pytest.fixture
def records() -> pd.DataFrame:
    return odd_records(FIRST, days=12, users=6)


def rows_of(job: Job) -> pd.DataFrame:
    return content(job.engine, processed, ("batch_number",))[list(PREPARED)]


def assert_equal(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    numbers = [name for name in expected.columns if name not in ("Date", "User")]
    pd.testing.assert_frame_equal(actual[["Date", "User"]], expected[["Date", "User"]])
    pd.testing.assert_frame_equal(actual[numbers].astype("float64"), expected[numbers].astype("float64"), rtol=1e-9)


def test_features_equal_those_computed_with_pandas(
    database: DatabaseAddress, job_on: Callable[[DatabaseAddress], Job], records: pd.DataFrame
) -> None:
    job = job_on(database)
    insert(job.engine, records)
    result = prepare(job, ALL)
    expected = prepared(records, FIRST, LAST)
    assert expected[[*USAGE, "M_Out_Call_Count_7d_sum", "M_Out_Call_Count_7d_std"]].isna().any().all()
    assert_equal(rows_of(job), expected)
    assert (result.days, result.rows, result.batches) == (DayRange(FIRST, LAST), len(expected), 12)
    assert_one_file_a_day(job, expected)


def assert_one_file_a_day(job: Job, expected: pd.DataFrame) -> None:
    folder = Path(job.objects.at("prepared"))
    stored = pd.read_parquet(folder)
    stored["Date"] = pd.to_datetime(stored["Date"].astype(str)).dt.date
    assert_equal(stored[list(PREPARED)].sort_values(["Date", "User"], ignore_index=True), expected)
    assert sorted(path.name for path in folder.iterdir()) == [f"Date={day}" for day in DayRange(FIRST, LAST)]
    assert all([file.name for file in path.glob("*.parquet")] == ["rows.parquet"] for path in folder.iterdir())


@pytest.mark.parametrize("bucket", ["gcs_bucket", "s3_bucket"])
def test_prepared_files_in_a_bucket_equal_the_table(
    job: Job, records: pd.DataFrame, bucket: str, request: pytest.FixtureRequest
) -> None:
    insert(job.engine, records)
    store = open_store(f"{request.getfixturevalue(bucket)}/driftline")
    bucket_job = replace(job, objects=store)
    days, middle = RequestedDays(LAST - timedelta(days=2), LAST), LAST - timedelta(days=1)
    assert prepare(bucket_job, days).files == 3
    files = [name for name in store.list_keys() if name.endswith("/rows.parquet")]
    assert [name.split("/")[1] for name in files] == [f"Date={LAST - timedelta(days=n)}" for n in (2, 1, 0)]
    stored = pd.concat([pd.read_parquet(BytesIO(store.get(name))) for name in files], ignore_index=True)
    expected = rows_of(job).drop(columns="Date")
    pd.testing.assert_frame_equal(stored.astype(expected.dtypes), expected)
    assert prepare(bucket_job, days).files == 0
    with job.engine.begin() as connection:
        connection.execute(delete(cdr).where(func.date(cdr.c[Cdr.DATE]) == middle))
    prepare(bucket_job, days)
    assert not any(f"Date={middle}/" in name for name in store.list_keys())
    assert not job.scratch.exists() or not list(job.scratch.iterdir())


def test_preparing_in_parts_or_again_gives_the_same_rows(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    middle = FIRST + timedelta(days=5)
    prepare(job, RequestedDays(middle, LAST))
    assert_equal(rows_of(job), prepared(records, middle, LAST))  # it reads the preceding days itself
    prepare(job, RequestedDays(FIRST, middle))
    rows_before, batches = content(job.engine, processed), content(job.engine, ledger)
    assert_equal(rows_before[list(PREPARED)], prepared(records, FIRST, LAST))
    again = prepare(job, ALL)
    assert (again.batches, again.files) == (0, 0)
    pd.testing.assert_frame_equal(content(job.engine, processed), rows_before)
    pd.testing.assert_frame_equal(content(job.engine, ledger), batches)
    assert len(batches) == 12


@pytest.mark.kills
def test_a_run_after_a_killed_one_gives_the_same_table(
    job: Job, records: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(job.engine, records)
    replace, moved = processed_store.replace, []

    def fail_after_five(*arguments: object) -> bool:
        moved.append(replace(*arguments))  # type: ignore[arg-type]  # passed through
        if len(moved) == 5:
            raise KeyboardInterrupt
        return moved[-1]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(processed_store, "replace", fail_after_five)
        prepare(job, ALL)
    assert len(content(job.engine, ledger)) == 4
    assert len(content(job.engine, processed_staging)) > 0
    assert prepare(job, ALL).batches == 8
    assert_equal(rows_of(job), prepared(records, FIRST, LAST))
    assert content(job.engine, processed_staging).empty


def test_changed_labels_are_prepared_again(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    prepare(job, ALL)
    rows_before = rows_of(job)
    record = records.iloc[-1]
    is_record = (cdr.c[Cdr.MSISDN] == record[Cdr.MSISDN]) & (cdr.c[Cdr.RECORD_ID] == record[Cdr.RECORD_ID])
    with job.engine.begin() as connection:
        call_count = connection.execute(select(cdr.c[Cdr.MOC_COUNT]).where(is_record)).scalar_one()
    for value in (123_456_789, call_count):
        with job.engine.begin() as connection:
            connection.execute(update(cdr).where(is_record).values({Cdr.MOC_COUNT: value}))
        assert prepare(job, ALL).batches == 1
    pd.testing.assert_frame_equal(rows_of(job), rows_before)
    assert content(job.engine, ledger)["batch_id"].iloc[-1].endswith("/2")


def test_deleted_records_are_removed_from_prepared_rows(job: Job, records: pd.DataFrame) -> None:
    insert(job.engine, records)
    prepare(job, ALL)
    middle = FIRST + timedelta(days=5)
    deleted = (cdr.c[Cdr.MSISDN] == "99901") | (func.date(cdr.c[Cdr.DATE]) == middle)
    with job.engine.begin() as connection:
        connection.execute(delete(cdr).where(deleted))
    remaining = records[(records[Cdr.MSISDN] != "99901") & (records[Cdr.DATE].dt.date != middle)]
    prepare(job, ALL)
    assert_equal(rows_of(job), prepared(remaining, FIRST, LAST))
    assert not Path(job.objects.at(f"prepared/Date={middle}")).exists()


def test_large_days_are_divided_into_parts(job: Job, records: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(job.engine, records)
    monkeypatch.setattr("churn_jobs.batches.FULL", 3)
    prepare(job, ALL)
    assert content(job.engine, ledger)["batch_id"].str.contains("/1of2/|/2of2/").all()
    assert_equal(rows_of(job), prepared(records, FIRST, LAST))
    assert prepare(job, ALL).batches == 0


def test_negative_usage_becomes_null_if_the_server_stored_it(
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
        prepare(job, RequestedDays(FIRST - timedelta(days=1), None))


def test_a_second_run_is_refused_while_one_is_active(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.store.job_lock.PATIENCE_SECONDS", 0)
    with only_one(job.engine, "prepare_data"), pytest.raises(Conflict, match="Another run of prepare_data"):
        prepare(job, ALL)
    with only_one(job.engine, "prepare_data"):
        assert Path(job.objects.address).name == "objects"
