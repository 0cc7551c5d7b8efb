"""Which files of a watched folder are data, by their names."""

import pytest

from driftline.ingest.files.watched_folder import is_data


@pytest.mark.parametrize(
    "key",
    ["rows.csv", "day=2026-01-01/part-0.snappy.parquet", "a/rows.CSV.gz", "rows.jsonl", "b.ndjson.zst", "c.arrow"],
)
def test_files_of_the_formats_are_data(key: str) -> None:
    assert is_data(key)


@pytest.mark.parametrize(
    "key",
    [
        "_SUCCESS", "_temporary/0/part-0.parquet", ".rows.csv.swp", ".hidden/rows.csv", "rows.csv.tmp", "rows.csv.part",
        "rows.csv.filepart", "rows.csv.crdownload", "notes.md", "a//rows.csv", "rows.gz", "",
    ],
)  # fmt: skip
def test_hidden_temporary_and_other_files_are_not(key: str) -> None:
    assert not is_data(key)
