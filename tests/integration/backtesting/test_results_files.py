"""The results of a backtest as a table, in three formats, and as JSON in parts."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import driftline as dl
from driftline.engine.verdicts import drift_rule
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.report.document import tables
from tests.unit.backtesting.conftest import UNTIL, Invoke

OPTIONS = ("--timestamp", "when", "--label", "churned", "--score", "score", "--reference-until", UNTIL, "--chunk", "1d")


@pytest.fixture(scope="module")
def result(world: pd.DataFrame) -> dl.BacktestResult:
    return dl.backtest(
        world, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d", id="ref"
    )


def expected(result: dl.BacktestResult) -> list[tuple[object, ...]]:
    """Return the expected values of each row, from the JSON of the chunks."""
    return [
        (
            chunk["start"],
            chunk["verdict"],
            row["subject_kind"],
            row["subject"],
            row["method"],
            row["value"],
            row["upper"],
        )
        for chunk in result.to_dict()["chunks"]
        for row in chunk["results"]
    ]


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_a_file_has_a_row_for_each_result(
    ending: str, result: dl.BacktestResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS", 50)  # several parts
    path = tmp_path / f"o{ending}"
    result.write_results(path)
    if ending == ".jsonl":
        frame = pd.read_json(path, lines=True)
    else:
        frame = pd.read_csv(path) if ending == ".csv" else pd.read_parquet(path)
    assert frame.columns.tolist() == result.to_frame().columns.tolist()
    starts = pd.to_datetime(frame.start, utc=True, format="ISO8601").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ["verdict", "subject_kind", "subject", "method", "value", "upper"]
    rows = [(start, *values) for start, values in zip(starts, frame[names].itertuples(index=False), strict=True)]
    assert [row[:5] for row in rows] == [row[:5] for row in expected(result)]
    for place in (5, 6):
        numbers = [float("nan") if row[place] is None else row[place] for row in expected(result)]
        assert [row[place] for row in rows] == pytest.approx(numbers, rel=1e-15, nan_ok=True)


def test_the_parts_of_the_json_are_the_json(result: dl.BacktestResult) -> None:
    parts = list(result.json_parts())
    assert len(parts) == len(result.chunks) + 2
    assert json.loads("".join(parts)) == result.to_dict()


def test_the_command_writes_the_table_with_other_outputs(csv: Path, tmp_path: Path, invoke: Invoke) -> None:
    table, file = tmp_path / "o.parquet", tmp_path / "o.json"
    assert invoke(csv, *OPTIONS, "--results", table, "--json", file).exit_code == 0
    chunks = json.loads(file.read_text())["chunks"]
    assert len(pd.read_parquet(table)) == sum(len(chunk["results"]) for chunk in chunks)


@pytest.mark.parametrize(
    ("name", "words"), [("o.xlsx", "use .jsonl, .csv, .parquet"), ("-", "--results cannot be standard output")]
)
def test_another_ending_is_rejected_before_the_work(
    name: str, words: str, csv: Path, tmp_path: Path, invoke: Invoke
) -> None:
    completed = invoke(csv, *OPTIONS, "--results", name if name == "-" else tmp_path / name)
    assert words in str(completed.exception)


def test_another_ending_is_rejected_in_python(result: dl.BacktestResult, tmp_path: Path) -> None:
    with pytest.raises(dl.InvalidInput, match="has no ending that names a format"):
        result.write_results(tmp_path / "o.xlsx")


def test_drifted_columns_are_derived_once_for_a_chunk(world: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    derive, counted = drift_rule._compute_drift_reasons, Counter[pd.Timestamp]()

    def count(spec: dl.Spec, chunk: ChunkFacts) -> dict[drift_rule.Subject, str]:
        counted[pd.Timestamp(chunk.start)] += 1
        return derive(spec, chunk)

    monkeypatch.setattr(drift_rule, "_compute_drift_reasons", count)
    result = dl.backtest(
        world, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d", id="ref"
    )
    result.to_html()
    result.to_json()
    assert set(counted.values()) == {1}
    assert len(counted) == len(result.chunks)
