"""Outputs replace what they are meant to replace, and nothing else."""

import os
from pathlib import Path

import pytest

from driftline.backtesting.output.files import output_faults, write
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL, Invoke

ASKED = ("--timestamp", "when", "--label", "churned", "--score", "score", "--reference-until", UNTIL, "--chunk", "1d")


def refused(exception: BaseException | None) -> str:
    assert isinstance(exception, InvalidInput), exception
    return str(exception)


def test_an_output_is_not_the_input(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    before = csv.read_bytes()
    (tmp_path / "soft").symlink_to(csv)
    os.link(csv, tmp_path / "hard")
    for name in ("churn.csv", "../" + tmp_path.name + "/churn.csv", "soft", "hard"):
        said = refused(invoke(csv, *ASKED, "--json", tmp_path / name).exception)
        assert "is the file to judge, which it would replace" in said
    assert csv.read_bytes() == before


def test_an_output_is_not_the_spec(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("minimum_rows: 150\n")
    said = refused(invoke(csv, *ASKED, "--spec", spec, "--html", spec).exception)
    assert "is the file of --spec" in said
    assert spec.read_text() == "minimum_rows: 150\n"


def test_two_outputs_are_two_files(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    said = refused(invoke(csv, *ASKED, "--json", tmp_path / "out", "--html", tmp_path / "." / "out").exception)
    assert "is the file of --json too" in said
    assert not (tmp_path / "out").exists()


def test_a_page_is_not_standard_output(csv: Path, invoke: Invoke) -> None:
    assert "--html cannot be standard output" in refused(invoke(csv, *ASKED, "--html", "-").exception)
    assert not Path("-").exists()


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "target", tmp_path / "link", tmp_path / "dangling"
    target.write_text("old")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "fresh")
    write({link: "new", dangling: "first"})
    assert (link.is_symlink(), target.read_text()) == (True, "new")
    assert (dangling.is_symlink(), (tmp_path / "fresh").read_text()) == (True, "first")


def test_what_is_no_regular_file_is_refused_and_stays(tmp_path: Path) -> None:
    pipe, circle = tmp_path / "pipe", tmp_path / "circle"
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    said = list(output_faults({"--json": pipe, "--html": circle}))
    assert "is not a regular file" in said[0]
    assert "refers to itself" in said[1]
    with pytest.raises(InvalidInput, match="is not a regular file"):
        write({pipe: "text"})
    assert pipe.is_fifo()


def test_a_name_that_is_too_long_is_a_fault(tmp_path: Path) -> None:
    (said,) = output_faults({"--json": tmp_path / ("x" * 300)})
    assert "cannot be written" in said


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnicodeEncodeError):
        write({tmp_path / "first": "good", tmp_path / "second": "\udcff"})
    assert not list(tmp_path.iterdir())

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        write({tmp_path / "first": "good"})
    assert not list(tmp_path.iterdir())


def test_a_name_of_bytes_that_are_no_text_is_written_with_a_question_mark(
    csv: Path, tmp_path: Path, invoke: Invoke
) -> None:
    result = invoke(csv, *ASKED, "--name", "\udcff", "--json", tmp_path / "out.json")
    assert (result.exit_code, result.exception) == (0, None)
    assert '"model": "?"' in (tmp_path / "out.json").read_text()


def test_a_file_whose_name_is_no_text_is_refused(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    odd = csv.rename(tmp_path / os.fsdecode(b"\xff.csv"))
    assert "is not UTF-8; rename it" in refused(invoke(odd, *ASKED).exception)
