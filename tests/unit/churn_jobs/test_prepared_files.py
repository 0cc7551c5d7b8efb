"""Files that Spark wrote are stored only if they are complete."""

from datetime import date
from pathlib import Path

import pytest

from churn_jobs.prepared.prepared_files import PreparedFiles
from driftline.errors import NotFound
from driftline.objects import open_store

DAY = date(2026, 1, 31)


@pytest.fixture
def files(tmp_path: Path) -> PreparedFiles:
    return PreparedFiles(open_store(tmp_path / "prepared"), tmp_path / "scratch")


def content_hash(files: PreparedFiles) -> str | None:
    return files._content_hash(DAY, files.store.list_keys())


def test_a_written_day_is_stored_with_its_hash(tmp_path: Path, files: PreparedFiles) -> None:
    (tmp_path / f"Date={DAY}").mkdir()
    (tmp_path / f"Date={DAY}" / "part-0.parquet").write_bytes(b"rows")
    files._store_day(tmp_path, DAY, "hash")
    assert content_hash(files) == "hash"
    files._remove(DAY, files.store.list_keys())
    assert content_hash(files) is None
    assert list((tmp_path / "prepared").iterdir()) == []


def test_files_on_another_machine_are_reported(tmp_path: Path, files: PreparedFiles) -> None:
    with pytest.raises(NotFound, match=r"0 files of 2026-01-31 .* DRIFTLINE_VAR must be a folder that all"):
        files._store_day(tmp_path, DAY, "hash")
    assert content_hash(files) is None
