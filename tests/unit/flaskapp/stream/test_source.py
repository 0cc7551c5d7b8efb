"""The content of batches: the same each time, whole days or parts that add up, labels when they are known."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pandas as pd
import pytest

from churn.columns import CDR_USAGE, Cdr
from driftline.store import bulk
from flaskapp.records import COLUMNS
from flaskapp.stream import source as stream_source
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.request import read_start
from flaskapp.stream.source import StreamSource

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DATED = {"start_date": "2026-01-01", "num_batches": 6, "subscribers": 80}
USAGE = [str(column) for column in CDR_USAGE]


def source(body: dict[str, Any]) -> StreamSource:
    return StreamSource(StreamPlan.of(*read_start(body, NOW.date()), NOW, UUID(int=1)))


def test_a_batch_always_has_the_same_bytes() -> None:
    short, long = source(DATED), source({**DATED, "num_batches": 30})
    for number in (1, 5):
        batches = short.records(number, NOW), long.records(number, datetime(2026, 7, 1, tzinfo=UTC))
        assert batches[0].id == batches[1].id
        assert bulk.encode(batches[0].frame, COLUMNS) == bulk.encode(batches[1].frame, COLUMNS)
    assert short.labels(5).equals(long.labels(5))


def test_a_dated_batch_is_one_day_without_labels() -> None:
    stream = source(DATED)
    frames = [stream.records(number, NOW).frame for number in range(1, 7)]
    every = pd.concat(frames)
    assert every[Cdr.RECORD_ID].is_unique
    assert every[Cdr.RECORD_ID].str.len().max() <= 40
    assert every[Cdr.PSEUDO_CHURNED].isna().all()
    assert [frame[Cdr.DATE].unique().tolist() for frame in frames] == [
        [pd.Timestamp(f"2026-01-0{number}", tz="UTC")] for number in range(1, 7)
    ]


def test_every_record_of_the_stream_has_one_label() -> None:
    stream = source(DATED)
    labels = {number: stream.labels(number) for number in range(1, 10)}
    every = pd.concat(labels.values())
    assert every["id"].is_unique
    for number in range(1, 7):
        records = stream.records(number, NOW).frame
        assert {f"2026-01-0{number}/{user}" for user in records[Cdr.MSISDN]} <= set(every["id"])
    for number, of_batch in labels.items():
        assert (of_batch["known_at"] == pd.Timestamp(f"2026-01-{number + 1:02d}", tz="UTC")).all()
        assert (of_batch["day"] >= pd.Timestamp(date(2025, 12, 29), tz="UTC")).all()
        assert (of_batch["known_at"] > of_batch["day"]).all()
    assert (labels[1]["day"] < pd.Timestamp("2026-01-01", tz="UTC")).all(), "history's last days are among them"


@pytest.mark.parametrize("rows_of_a_day", [10**6, 120])
def test_undated_batches_have_batch_size_records(monkeypatch: pytest.MonkeyPatch, rows_of_a_day: int) -> None:
    monkeypatch.setattr(stream_source, "ROWS_OF_A_DAY", rows_of_a_day)
    stream = source({"batch_size": 40, "num_batches": 6})
    frames = [stream.records(number, NOW).frame for number in range(1, 7)]
    assert [len(frame) for frame in frames] == [40] * 6
    assert pd.concat(frames)[Cdr.RECORD_ID].is_unique
    assert all((frame[Cdr.DATE] == NOW).all() for frame in frames)
    days = 1 if rows_of_a_day > 1000 else 2
    days_records = [stream.world.records_of_day(date(2026, 6, 15 + day)).head(40) for day in range(days)]
    assert pd.concat(frames)[USAGE].sum().tolist() == pd.concat(days_records)[USAGE].sum().tolist()
    assert stream.labels(1).empty


def test_a_value_missing_all_day_is_missing_in_each_part() -> None:
    drift = {"kind": "missing", "size": 0.5, "start": 1, "column": "DP_MOC_COUNT"}
    stream = source({"batch_size": 40, "num_batches": 4, "drifts": [drift]})
    frames = [stream.records(number, NOW).frame.set_index(Cdr.MSISDN)[Cdr.MOC_COUNT].isna() for number in range(1, 5)]
    assert 0 < frames[0].sum() < 40
    assert all(frame.equals(frames[0]) for frame in frames)
