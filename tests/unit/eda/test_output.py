"""Files are complete or absent."""

from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from eda.output import write_all


def test_files_are_replaced_without_leftovers(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "output"
    write_all(folder, {"a.svg": b"one", "report.html": b"old"})
    write_all(folder, {"report.html": b"new"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.svg": b"one", "report.html": b"new"}


def test_a_failure_keeps_the_old_files(tmp_path: Path) -> None:
    write_all(tmp_path, {"a.svg": b"old"})
    with pytest.raises(InvalidInput, match="cannot be written to"):
        write_all(tmp_path, {"a.svg": b"new", "no/such/folder.svg": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    assert (tmp_path / "a.svg").read_bytes() == b"old"


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    with pytest.raises(InvalidInput, match="set EDA_OUTPUT"):
        write_all(tmp_path / "output", {"a.svg": b""})
