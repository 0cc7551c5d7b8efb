import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import Result

from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL, Invoke

ROLES = ("--timestamp", "when", "--label", "churned", "--score", "score", "--id", "ref", "--chunk", "1d")
ALL = (*ROLES, "--reference-until", UNTIL)


def faults(result: Result) -> tuple[str, ...]:
    assert isinstance(result.exception, InvalidInput), result.exception
    return result.exception.details or (result.exception.message,)


def test_it_writes_json_and_html_and_prints_the_verdicts(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    out, page, book = tmp_path / "out.json", tmp_path / "out.html", tmp_path / "out.xlsx"
    result = invoke(csv, *ALL, "--json", out, "--html", page, "--report", book)
    assert (result.exit_code, result.exception) == (0, None)
    written = json.loads(out.read_text())
    assert (written["model"], len(written["chunks"])) == ("churn", 8)
    assert page.read_text().startswith("<!doctype html>")
    assert book.read_bytes().startswith(b"PK")
    head, *lines = result.stdout.splitlines()
    assert head.startswith("churn: reference of 2,400 rows")
    assert [line for line in lines if line.startswith("2026-01-")] == lines[-8:]
    assert any(line.startswith("Detected 8 times in 10: ROC AUC falls by") for line in lines)
    assert "inferred problem: binary (there is one score)" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"churn.csv", "out.json", "out.html", "out.xlsx"}


def test_standard_output_can_hold_the_json_alone(csv: Path, invoke: Invoke) -> None:
    result = invoke(csv, *ALL, "--json", "-")
    assert len(json.loads(result.stdout)["chunks"]) == 8


@pytest.mark.parametrize(
    ("until", "fail_on", "status"),
    [(UNTIL, "alert", 1), (UNTIL, "warn", 1), (UNTIL, None, 0), ("2026-01-20", "warn", 0)],
)
def test_fail_on_sets_the_exit_status(
    until: str, fail_on: str | None, status: int, csv: Path, tmp_path: Path, invoke: Invoke
) -> None:
    out = tmp_path / "out.json"
    options = () if fail_on is None else ("--fail-on", fail_on)
    result = invoke(csv, *ROLES, "--reference-until", until, "--json", out, *options)
    assert result.exit_code == status
    assert out.exists()


def test_all_faults_are_listed_together(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("minimum_row: 3\ntime_zone: Mars\ncolumns: [{kind: text}]\n")
    result = invoke(
        csv, "--timestamp", "wen", "--label", "churned", "--score", "score", "--id", "score", "--features", "usage,ago",
        "--reference-until", "2026-13-01", "--chunk", "3d", "--problem", "clustering", "--spec", spec,
        "--json", tmp_path / "nowhere" / "out.json",
    )  # fmt: skip
    listed = "\n".join(faults(result))
    for fault in (
        "there is no column 'wen' (timestamp), 'ago' (features); available: when, ref, usage",
        "score has two roles",
        "'2026-13-01' is not a date",
        "unknown chunk '3d'",
        "unknown problem 'clustering'",
        "unknown field 'minimum_row'",
        "unknown time zone 'Mars'",
        "spec: columns.0.name: missing; add it",
        "spec: columns.0.kind: 'text' is unknown; choose 'continuous' or 'categorical'",
        "there is no folder",
    ):
        assert fault in listed
    assert {path.name for path in tmp_path.iterdir()} == {"churn.csv", "spec.yaml"}


def test_an_end_of_the_reference_is_proposed(csv: Path, invoke: Invoke) -> None:
    (fault,) = faults(invoke(csv, *ROLES))
    assert "for example --reference-until 2026-01-07 leaves 1,200 of 4,000 rows" in fault


def test_faults_of_the_file_and_the_options_are_listed_together(tmp_path: Path, invoke: Invoke) -> None:
    listed = faults(invoke(tmp_path / "none.csv", *ROLES, "--reference-until", "soon"))
    assert [fault for fault in listed if "there is no file" in fault]
    assert [fault for fault in listed if "'soon' is not a date" in fault]


def test_options_take_precedence_over_the_spec(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "period: 1w\nminimum_rows: 150\nstatistics: [mean]\ncolumns: [usage, {name: age, watched: false}]\n"
    )
    result = invoke(csv, *ALL, "--spec", spec, "--json", "-")
    written = json.loads(result.stdout)
    assert written["chunk"] == "1d"
    subjects = {result["subject"] for result in written["chunks"][0]["results"]}
    assert subjects >= {"model", "usage", "score", "prediction"}
    assert not subjects & {"age", "plan"}


def test_faults_of_the_spec_name_its_fields(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("minimum_rows: few\nlabel_coverage: 7\n")
    listed = faults(invoke(csv, *ALL, "--spec", spec))
    assert [fault.split(": ")[1] for fault in listed] == ["label_coverage", "minimum_rows"]


def test_a_damaged_file_is_named_with_its_line(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    lines = csv.read_text().splitlines()
    lines[1234] = "2026-01-07T00:00:00,r1"
    csv.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out.json"
    (fault,) = faults(invoke(csv, *ALL, "--json", out))
    assert "line 1235 cannot be read: Expected 7 columns, got 2" in fault
    assert not out.exists()


@pytest.mark.parametrize(
    ("column", "place", "value", "fault"),
    [
        ("when", 17, "yesterday", r"column 'when' has a value that is not an ISO 8601 time"),
        ("when", 17, "", r"column 'when' has no value.*row 18"),
        ("score", 3000, "high", r"column 'score' has 1 value that is not a number \('high', row 3,001\)"),
        ("churned", 17, "maybe", r"'0', '1', 'maybe'.*--positive"),
        ("churned", 3000, "maybe", r"column 'churned' holds 'maybe', which is neither class of the reference"),
    ],
)
def test_an_invalid_value_is_named(
    column: str, place: int, value: Any, fault: str, world: pd.DataFrame, tmp_path: Path, invoke: Invoke
) -> None:
    rows = world.astype({column: object})
    rows.loc[place, column] = value
    path = tmp_path / "churn.csv"
    rows.to_csv(path, index=False)
    result = invoke(path, *ALL, "--problem", "binary")
    assert isinstance(result.exception, InvalidInput)
    with pytest.raises(InvalidInput, match=fault):
        raise result.exception


def test_existing_files_are_kept_when_it_fails(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    out = tmp_path / "out.json"
    out.write_text("as it was")
    invoke(csv, *ROLES, "--json", out)
    assert out.read_text() == "as it was"


def python(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": "src"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_bad_input_is_status_2_and_one_clear_message(tmp_path: Path) -> None:
    completed = python("from driftline.cli import main; main()", "backtest", tmp_path / "none.csv", *ALL)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr.startswith("Error: The backtest cannot start.\n  - there is no file")
    assert "Traceback" not in completed.stderr


def test_an_unexpected_error_has_status_70(csv: Path) -> None:
    code = (
        "from driftline import cli\nfrom driftline.backtesting.execution import run\n"
        "def fail(*arguments, **options): raise ZeroDivisionError('by nothing')\n"
        "run.run = fail\ncli.main()"
    )
    completed = python(code, "backtest", csv, *ALL, "--fail-on", "warn")
    assert (completed.returncode, completed.stdout) == (70, "")
    assert "please report it" in completed.stderr
    assert "ZeroDivisionError: by nothing" in completed.stderr


def test_a_backtest_imports_only_what_it_uses(csv: Path) -> None:
    code = (
        "import sys; from driftline.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "unused = ('sqlalchemy', 'alembic', 'jinja2', 'rich', 'matplotlib', 'yaml', 'nannyml', 'sklearn')\n"
        "unused += ('driftline.settings', 'driftline.http.authorization.tokens')\n"
        "print([name for name in unused if name in sys.modules])"
    )
    completed = python(code, "backtest", csv, *ALL)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.splitlines()[-1] == "[]"


def test_importing_the_library_imports_no_pandas() -> None:
    completed = python("import sys, driftline, driftline.cli; print('pandas' in sys.modules, 'numpy' in sys.modules)")
    assert completed.stdout.split() == ["False", "False"]
