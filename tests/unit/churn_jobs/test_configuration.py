"""Configuration files: the shipped ones are valid, and faults are listed."""

import json
from datetime import date
from pathlib import Path

import pytest

from churn_jobs.command import RANGES, TRAINING
from churn_jobs.configuration import RangeConfig, TrainingConfig, load
from churn_jobs.days import RequestedDays
from driftline.errors import InvalidInput


def test_the_shipped_files_are_the_defaults() -> None:
    assert load(RANGES, RangeConfig) == RangeConfig()
    assert load(TRAINING, TrainingConfig) == TrainingConfig()
    assert [*json.loads(RANGES.read_text())] == [*RangeConfig.model_fields]
    assert [*json.loads(TRAINING.read_text())] == [*TrainingConfig.model_fields]


def test_raw_and_processed_ranges_are_separate(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"start_date": "2026-01-01", "end_date": null, "processed_end": "2026-02-01"}')
    config = load(file, RangeConfig)
    assert config.raw == RequestedDays(date(2026, 1, 1), None)
    assert config.processed == RequestedDays(None, date(2026, 2, 1))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"start": null}', "start: unknown field; available: start_date, end_date, processed_start, processed_end"),
        ('{"end_date": "yesterday"}', "end_date: 'yesterday' is not a day; write one such as 2026-01-31"),
        ("{", "is not JSON"),
        ("[]", "the file: a value of type list is not a mapping; write one such as {field: value}"),
    ],
)
def test_faults_are_listed(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        load(file, RangeConfig)
    assert fault in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json cannot be read"):
        load(tmp_path / "none.json", RangeConfig)


def test_a_reference_is_never_shorter_than_two_weeks(tmp_path: Path) -> None:
    file = tmp_path / "training.json"
    file.write_text('{"minimum_reference_days": 13, "candidates": []}')
    with pytest.raises(InvalidInput) as refused:
        load(file, TrainingConfig)
    assert len(refused.value.details) == 2
