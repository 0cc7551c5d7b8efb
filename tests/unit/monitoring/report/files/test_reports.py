"""The CSV files of reports: texts of users are never formulas, and numbers stay numbers."""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from driftline.errors import Unavailable
from driftline.objects import open_store
from driftline.store.versions.registry import Version
from monitoring.report.chunk_views import ModelStatus
from monitoring.report.files.current_reports import CurrentReports, ReportedVersion
from monitoring.report.files.reports import DRIFT_COLUMNS, PERFORMANCE_COLUMNS, _csv
from tests.unit.monitoring.reports_builder import ORIGIN, SPEC, drift, realized
from tests.unit.monitoring.reports_builder import report as view


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
@pytest.mark.parametrize("columns", [DRIFT_COLUMNS, PERFORMANCE_COLUMNS])
def test_a_text_that_begins_like_a_formula_is_quoted(text: str, columns: tuple[str, ...]) -> None:
    row = dict.fromkeys(columns, text) | {"revision": 1}
    written = list(csv.DictReader(_csv([row], columns).decode().splitlines(keepends=True)))
    assert {name: cell for name, cell in written[0].items() if name != "revision"} == {
        name: f"'{text}".replace("\r", "\n") for name in columns if name != "revision"
    }


def test_other_texts_and_numbers_are_written_as_they_are() -> None:
    row = {"column": "minutes = 3", "value": -1.5, "effect": None, "revision": 2, "lasting": True, "reason": ""}
    (written,) = csv.DictReader(_csv([row], DRIFT_COLUMNS).decode().splitlines())
    assert {name: written[name] for name in row} == {
        "column": "minutes = 3", "value": "-1.5", "effect": "", "revision": "2", "lasting": "True", "reason": "",
    }  # fmt: skip


FITTED = SimpleNamespace(
    rows=8_000, chunks=8, since=ORIGIN, until=ORIGIN, evidence=None, no_evidence=None, content_hash="c"
)
VERSIONS = {
    name: cast("Version", SimpleNamespace(spec=SPEC, name=name, number=1, fitted=FITTED, details={}))
    for name in ("-calls", "churn")
}


def status_of(name: str, days: int) -> ModelStatus:
    chunks = [view(day, realized(0.7 + day / 100), drift(0.4)) for day in range(days)]
    return ModelStatus(VERSIONS[name], ORIGIN, chunks)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in each CSV file, its rows sorted."""
    return {path.name: b"\n".join(sorted(path.read_bytes().splitlines())) for path in folder.glob("*.csv")}


@pytest.mark.slow
def test_only_models_that_changed_are_read_again(tmp_path: Path) -> None:
    days, read, at = {"-calls": 2, "churn": 3}, list[str](), dict[str, datetime]()

    def status(name: str, _: int) -> ModelStatus:
        read.append(name)
        return status_of(name, days[name])

    def poll(current: CurrentReports, *changed: str, models: Sequence[str]) -> list[str]:
        read.clear()
        with current.renew(lambda: {name: ReportedVersion(1, at.get(name)) for name in models}) as names:
            names.update(changed)
        return list(read)

    current = CurrentReports(open_store(tmp_path / "renewed"), status)
    assert poll(current, models=["churn"]) == ["churn"]
    assert poll(current, models=["-calls", "churn"]) == ["-calls"], "it is new"
    assert poll(current, models=["-calls", "churn"]) == []
    days["churn"] = 4
    assert poll(current, "churn", models=["-calls", "churn"]) == ["churn"]
    at["-calls"] = ORIGIN
    assert poll(current, models=["-calls", "churn"]) == ["-calls"], "another process has stored results"
    poll(CurrentReports(open_store(tmp_path / "written"), status), models=["-calls", "churn"])
    assert contents(tmp_path / "renewed") == contents(tmp_path / "written")
    assert b"'-calls" in contents(tmp_path / "renewed")["drift_report.csv"]
    assert poll(current, models=["churn"]) == []
    poll(CurrentReports(open_store(tmp_path / "one"), status), models=["churn"])
    assert contents(tmp_path / "renewed") == contents(tmp_path / "one")
    assert {path.name for path in (tmp_path / "renewed").iterdir() if "-calls" in path.name} == set()


@pytest.mark.slow
def test_after_a_failed_poll_all_models_are_read_again(tmp_path: Path) -> None:
    read: list[str] = []

    def status(name: str, _: int) -> ModelStatus:
        read.append(name)
        return status_of(name, 1)

    current = CurrentReports(open_store(tmp_path), status)
    with pytest.raises(Unavailable), current.renew(lambda: {"churn": ReportedVersion(1, None)}):
        raise Unavailable
    with current.renew(lambda: {"churn": ReportedVersion(1, None)}):
        pass
    assert read == ["churn"]
