"""Output files replace their targets, and nothing else."""

import os
from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from driftline.output_files import output_faults, write
from tests.unit.backtesting.conftest import UNTIL, Invoke

OPTIONS = ("--timestamp", "when", "--label", "churned", "--score", "score", "--reference-until", UNTIL, "--chunk", "1d")


def message(exception: BaseException | None) -> str:
    assert isinstance(exception, InvalidInput), exception
    return str(exception)


def test_an_output_that_is_the_input_is_rejected(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    original = csv.read_bytes()
    (tmp_path / "soft").symlink_to(csv)
    os.link(csv, tmp_path / "hard")
    for name in ("churn.csv", "../" + tmp_path.name + "/churn.csv", "soft", "hard"):
        fault = message(invoke(csv, *OPTIONS, "--json", tmp_path / name).exception)
        assert "is the input file, which it would replace" in fault
    assert csv.read_bytes() == original


def test_an_output_that_is_the_spec_is_rejected(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("minimum_rows: 150\n")
    fault = message(invoke(csv, *OPTIONS, "--spec", spec, "--html", spec).exception)
    assert "is the file of --spec" in fault
    assert spec.read_text() == "minimum_rows: 150\n"


def test_two_outputs_to_the_same_file_are_rejected(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    fault = message(invoke(csv, *OPTIONS, "--json", tmp_path / "out", "--html", tmp_path / "." / "out").exception)
    assert "is the file of --json too" in fault
    assert not (tmp_path / "out").exists()


def test_a_page_cannot_be_standard_output(csv: Path, invoke: Invoke) -> None:
    assert "--html cannot be standard output" in message(invoke(csv, *OPTIONS, "--html", "-").exception)
    unknown = message(invoke(csv, *OPTIONS, "--report", "out.doc").exception)
    assert "--report out.doc has no ending that names a format; use .html, .pdf, .xlsx, .csv, .json" in unknown
    assert not Path("-").exists()


def test_a_link_is_kept_and_its_target_is_written(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "target", tmp_path / "link", tmp_path / "dangling"
    target.write_text("old")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "fresh")
    write({link: "new", dangling: "first"})
    assert (link.is_symlink(), target.read_text()) == (True, "new")
    assert (dangling.is_symlink(), (tmp_path / "fresh").read_text()) == (True, "first")


def test_a_file_that_is_not_regular_is_rejected_and_kept(tmp_path: Path) -> None:
    pipe, circle = tmp_path / "pipe", tmp_path / "circle"
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    fault = list(output_faults({"--json": pipe, "--html": circle}))
    assert "is not a regular file" in fault[0]
    assert "refers to itself" in fault[1]
    with pytest.raises(InvalidInput, match="is not a regular file"):
        write({pipe: "text"})
    assert pipe.is_fifo()


def test_a_name_that_is_too_long_is_a_fault(tmp_path: Path) -> None:
    (fault,) = output_faults({"--json": tmp_path / ("x" * 300)})
    assert "cannot be written" in fault


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnicodeEncodeError):
        write({tmp_path / "first": "good", tmp_path / "second": "\udcff"})
    assert not list(tmp_path.iterdir())

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        write({tmp_path / "first": "good"})
    assert not list(tmp_path.iterdir())


def test_bytes_in_a_name_that_are_not_text_become_question_marks(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    result = invoke(csv, *OPTIONS, "--name", "\udcff", "--json", tmp_path / "out.json")
    assert (result.exit_code, result.exception) == (0, None)
    assert '"model": "?"' in (tmp_path / "out.json").read_text()


def test_a_file_whose_name_is_not_utf_8_is_rejected(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    odd = csv.rename(tmp_path / os.fsdecode(b"\xff.csv"))
    assert "is not UTF-8; rename the file" in message(invoke(odd, *OPTIONS).exception)
