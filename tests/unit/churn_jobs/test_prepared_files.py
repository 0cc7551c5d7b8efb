"""What Spark wrote is taken only if it is all here."""

from datetime import date
from pathlib import Path

import pytest

from churn_jobs.prepared_files import PreparedFiles
from driftline.errors import NotFound

DAY = date(2026, 1, 31)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    folder = tmp_path / "prepared" / ".unfinished-a"
    (folder / f"Date={DAY}").mkdir(parents=True)
    return folder


def test_a_written_day_is_taken_with_its_hash(tmp_path: Path, written: Path) -> None:
    (written / f"Date={DAY}" / "part-0.parquet").write_bytes(b"rows")
    files = PreparedFiles(tmp_path / "prepared")
    files._take(written, DAY, "hash")
    assert files._content_hash(DAY) == "hash"


def test_what_another_machine_kept_is_missed_with_its_cure(tmp_path: Path, written: Path) -> None:
    files = PreparedFiles(tmp_path / "prepared")
    with pytest.raises(NotFound, match=r"0 files of 2026-01-31 .* DRIFTLINE_VAR must be a folder that all"):
        files._take(written, DAY, "hash")
    assert files._content_hash(DAY) is None
