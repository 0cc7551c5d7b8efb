import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.backtesting.backtest import backtest
from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources import csv_source, sources
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import Result, State
from driftline.engine.spec import ColumnSpec, Period, Spec
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import A_DAY, UNTIL

ALL: dict[str, Any] = {
    "timestamp": "when",
    "label": "churned",
    "score": "score",
    "id": "ref",
    "reference_until": UNTIL,
    "chunk": "1d",
    "name": "churn",
}


@pytest.fixture(scope="module")
def baseline(world: pd.DataFrame) -> BacktestResult:
    return backtest(world, **ALL)


def chunk_values(result: BacktestResult) -> list[tuple[Any, ...]]:
    return [
        (c.start, c.end, c.rows, c.labelled, c.closed, c.verdict, tuple(sorted(c.results, key=repr)))
        for c in result.chunks
    ]


def result_of(result: BacktestResult, place: int, subject: str, method: str, kind: str = "drift") -> Result:
    matches = [
        r for r in result.chunks[place].results if (r.subject, r.method, r.kind.value) == (subject, method, kind)
    ]
    assert len(matches) == 1, f"{subject} {method} {kind}: {len(matches)}"
    return matches[0]


def test_the_repr_is_short_and_the_html_is_a_table(baseline: BacktestResult) -> None:
    assert len(repr(baseline)) < 1_300
    assert repr(baseline).startswith("BacktestResult of churn: 8 chunks (1d; ")
    assert len(repr(baseline.chunks[0])) < 1_500
    page = baseline._repr_html_()
    assert page.count("<tr>") == 9
    assert len(page) < 5_000


def test_the_library_exports_backtest() -> None:
    assert dl.backtest is backtest
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = dl.nothing_such


def test_the_broken_model_is_alerted(baseline: BacktestResult) -> None:
    states = [chunk.verdict.state for chunk in baseline.chunks]
    assert states[:3] == [State.OK] * 3
    assert State.ALERT in states[3:5]
    assert baseline.worst is State.ALERT
    assert "usage" in baseline.chunks[5].verdict.drifted


def test_each_chunk_equals_the_engine_on_its_rows(world: pd.DataFrame, baseline: BacktestResult) -> None:
    columns = (
        ColumnSpec(name="usage"),
        ColumnSpec(name="age"),
        ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL),
    )
    spec = Spec(columns=columns, period=Period.DAY)
    frame = world.rename(columns={"when": "event_time", "ref": "id", "score": "probability_1", "churned": "label"})
    frame["event_time"] = frame["event_time"].dt.tz_localize("UTC")
    frame["prediction"] = (frame["probability_1"] >= 0.5).astype(int)
    in_reference = frame["event_time"] < UNTIL
    fitted = fit_reference(frame[in_reference], spec)
    assert (baseline.reference.rows, baseline.reference.chunks) == (12 * A_DAY, 12)
    names = {"probability_1": "score", "label": "churned"}
    for (chunk, rows), evaluated in zip(
        split_by_chunk(frame[~in_reference], Period.DAY, ZoneInfo("UTC")), baseline.chunks, strict=True
    ):
        assert (evaluated.start, evaluated.end, evaluated.rows) == (chunk.start, chunk.end, len(rows))
        expected = {(r.subject, r.kind, r.method): r for r in evaluate_chunk(fitted, spec, rows, chunk)}
        actual = {(r.subject, r.kind, r.method): r for r in evaluated.results}
        for (subject, kind, method), result in expected.items():
            counterpart = actual[names.get(subject, subject), kind, method]
            assert (counterpart.value, counterpart.bounds, counterpart.sampling_error) == (
                result.value, result.bounds, result.sampling_error,
            )  # fmt: skip
        assert len(actual) == len(expected)


def test_only_the_last_chunk_is_open_at_the_end_of_the_data(baseline: BacktestResult) -> None:
    assert [chunk.status for chunk in baseline.chunks] == ["closed"] * 7 + ["open"]
    assert baseline.chunks[-1].verdict.provisional


def test_results_do_not_depend_on_the_order_of_rows(world: pd.DataFrame, baseline: BacktestResult) -> None:
    assert chunk_values(backtest(world.sample(frac=1, random_state=3), **ALL)) == chunk_values(baseline)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_file_has_the_results_of_the_frame(
    ending: str, world: pd.DataFrame, baseline: BacktestResult, tmp_path: Path
) -> None:
    path = tmp_path / f"churn.{ending}"
    _ = world.to_parquet(path) if ending == "parquet" else world.to_csv(path, index=False)
    assert chunk_values(backtest(path, **ALL)) == chunk_values(baseline)


@pytest.mark.parametrize("chunk", ["1d", "rows:700", "count:5"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_file_read_in_blocks_has_the_results_of_one_read_whole(
    chunk: str, ending: str, shuffled: bool, world: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BLOCK_ROWS", 1_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 40_000)
    path = tmp_path / f"churn.{ending}"
    rows = world.sample(frac=1, random_state=3) if shuffled else world
    _ = rows.to_parquet(path, index=False) if ending == "parquet" else rows.to_csv(path, index=False)
    kind: Any = sources.ParquetSource if ending == "parquet" else csv_source.CsvSource
    in_blocks, at_once = kind.of(path, largest=0), kind.of(path)
    options = Request("when", "churned", None, (ScoreColumn("score"),), "ref", reference_until=UNTIL, chunk=chunk)
    request = read_request(options, at_once.columns)
    assert (in_blocks.single_block, at_once.single_block) == (False, True)
    assert len(list(in_blocks.blocks(("when",)))) > 3
    assert_close(run(in_blocks, request), run(at_once, request))


def assert_close(actual: BacktestResult, expected: BacktestResult) -> None:
    """Assert equality except for the last digits, which differ between merged sums and sums of all rows."""
    for first, second in zip(chunk_values(actual), chunk_values(expected), strict=True):
        assert first[:5] == second[:5]
        assert first[5].state == second[5].state
        for a, b in zip(first[6], second[6], strict=True):
            assert (a.subject, a.kind, a.method, a.state, a.rows) == (b.subject, b.kind, b.method, b.state, b.rows)
            assert a.value == pytest.approx(b.value, rel=1e-9, abs=1e-12)


def test_the_json_has_the_documented_keys(baseline: BacktestResult) -> None:
    written = json.loads(baseline.to_json())
    assert written["model"] == "churn"
    assert written["reference"] == {
        "rows": 2400, "from": "2026-01-01T00:00:00Z", "until": "2026-01-12T23:52:48Z", "chunks": 12,
    }  # fmt: skip
    first = written["chunks"][0]
    assert (first["start"], first["end"]) == ("2026-01-13T00:00:00Z", "2026-01-14T00:00:00Z")
    assert (first["rows"], first["labelled"], first["status"], first["verdict"]) == (200, 200, "closed", "ok")
    keys = {"subject", "kind", "method", "value", "lower", "upper", "sampling_error", "state", "reason"}
    assert all(keys <= set(result) for chunk in written["chunks"] for result in chunk["results"])
    subjects = {result["subject"] for chunk in written["chunks"] for result in chunk["results"]}
    assert subjects == {"model", "usage", "age", "plan", "score", "prediction"}
    assert {inference["what"] for inference in written["inferred"]} >= {"problem", "features", "prediction"}


def test_the_frame_has_one_row_for_each_result(baseline: BacktestResult) -> None:
    frame = baseline.to_frame()
    assert len(frame) == sum(len(chunk.results) for chunk in baseline.chunks)
    assert frame["start"].dt.tz is not None
    auc = frame[(frame["method"] == "roc_auc") & (frame["kind"] == "realized")]
    assert auc["value"].tolist() == [result_of(baseline, i, "model", "roc_auc", "realized").value for i in range(8)]


def test_the_figure_has_a_panel_for_each_number(baseline: BacktestResult) -> None:
    titles = [axis.get_title(loc="left") for axis in baseline.plot(["model", "usage"]).axes]
    assert "ROC AUC" in titles
    assert "usage: Wasserstein distance" in titles
    with pytest.raises(InvalidInput, match=r"nobody.*there are .*usage"):
        baseline.plot(["nobody"])


def test_chunks_of_rows_come_in_the_order_of_time(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "rows:700"})
    assert [chunk.rows for chunk in result.chunks] == [700, 700, 200]
    assert [chunk.status for chunk in result.chunks] == ["closed", "closed", "open"]
    assert all(chunk.end == following.start for chunk, following in pairwise(result.chunks))
    assert result.reference.chunks == 4
    assert result.chunks[0].start == datetime(2026, 1, 13, tzinfo=UTC)


def test_a_count_of_chunks_gives_reference_chunks_of_equal_size(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "count:16"})
    assert [chunk.rows for chunk in result.chunks] == [100] * 16
    assert {chunk.status for chunk in result.chunks} == {"closed"}
    assert result.reference.chunks == 24


def test_nannymls_policy_cuts_the_reference_into_as_many_chunks(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "count:16", "spec": {"thresholds": "nannyml"}})
    assert result.reference.chunks == 16


def test_rows_of_one_instant_can_be_in_different_chunks(world: pd.DataFrame) -> None:
    days = world.assign(when=world["when"].dt.floor("D"))
    result = backtest(days, **{**ALL, "chunk": "rows:100"})
    starts = [chunk.start for chunk in result.chunks]
    assert starts == sorted(set(starts))
    assert [chunk.rows for chunk in result.chunks] == [100] * 16
    assert starts[1] - starts[0] == timedelta(microseconds=1)


def test_missing_labels_are_pending(world: pd.DataFrame) -> None:
    late = world.assign(churned=world["churned"].where(world["when"] < "2026-01-14"))
    result = backtest(late, **ALL)
    assert [chunk.labelled for chunk in result.chunks] == [200] + [0] * 7
    assert result.chunks[0].verdict.state is State.OK
    assert result.chunks[1].verdict.state is State.PENDING_LABELS
    assert result_of(result, 1, "model", "f1", "realized").state is State.PENDING_LABELS
    assert result_of(result, 1, "model", "f1", "estimated").value is not None


def test_without_labels_performance_has_no_value_and_a_reason(world: pd.DataFrame) -> None:
    result = backtest(world.drop(columns="churned"), **{**ALL, "label": None})
    assert {chunk.verdict.state for chunk in result.chunks[:3]} == {State.PENDING_LABELS}
    realized = result_of(result, 0, "model", "roc_auc", "realized")
    assert (realized.value, realized.reason) == (None, "the data has no label column; name it with label=...")
    assert result_of(result, 5, "usage", "kolmogorov_smirnov").value is not None


def test_drift_is_computed_without_score_and_prediction(world: pd.DataFrame) -> None:
    result = backtest(world.drop(columns="score"), **{**ALL, "score": None})
    reason = result_of(result, 0, "model", "f1", "realized").reason
    assert reason is not None
    assert "prediction=... or score=..." in reason
    assert {r.subject for r in result.chunks[0].results} == {"model", "usage", "age", "plan"}
    assert result_of(result, 6, "usage", "jensen_shannon").state is State.WARN


def test_features_may_have_names_that_the_engine_reserves(world: pd.DataFrame) -> None:
    renamed = world.rename(columns={"usage": "label", "age": "event_time", "plan": "my plan (€)"})
    result = backtest(renamed, **ALL)
    assert {r.subject for r in result.chunks[0].results} >= {"label", "event_time", "my plan (€)"}
    assert any(reason.startswith("label drifted") for reason in result.chunks[5].verdict.reasons)


def test_a_chunk_that_the_reference_ends_in_is_provisional(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "reference_until": "2026-01-13T12:00"})
    assert (result.chunks[0].rows, result.chunks[0].status) == (100, "open")
    assert "reference ends inside" in result.chunks[0].verdict.reasons[0]
    assert result.chunks[1].status == "closed"


def test_days_without_rows_are_chunks_without_data(world: pd.DataFrame) -> None:
    day = world["when"].dt.floor("D")
    result = backtest(world[day != pd.Timestamp("2026-01-15")], **ALL)
    assert [chunk.rows for chunk in result.chunks] == [200, 200, 0, 200, 200, 200, 200, 200]
    assert result.chunks[2].verdict.state is State.NO_DATA


def test_the_time_zone_of_the_spec_moves_days_and_naive_times(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "spec": {"time_zone": "Asia/Kolkata"}})
    assert result.chunks[0].start == datetime(2026, 1, 12, 18, 30, tzinfo=UTC)
    assert result.chunks[0].rows == 200


def test_labels_are_due_after_the_label_delay_of_the_spec(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "spec": {"label_delay": "P3D"}})
    assert [chunk.verdict.provisional for chunk in result.chunks] == [False] * 4 + [True] * 4


def test_words_and_booleans_are_classes(world: pd.DataFrame, baseline: BacktestResult) -> None:
    words = world.assign(churned=np.where(world["churned"] == 1, "Yes", "no"), predicted=world["score"] >= 0.5)
    result = backtest(words, **ALL, prediction="predicted")
    for place in range(8):
        for method in ("roc_auc", "f1", "accuracy"):
            values = {result_of(each, place, "model", method, "realized").value for each in (result, baseline)}
            assert len(values) == 1
    assert any(note.what == "class 1" and "yes" in note.value.lower() for note in result.inferred)


def test_unknown_words_need_the_positive_class(world: pd.DataFrame, baseline: BacktestResult) -> None:
    words = world.assign(churned=np.where(world["churned"] == 1, "left", "stayed"))
    with pytest.raises(InvalidInput, match=r"'left', 'stayed'.*positive='stayed'"):
        backtest(words, **ALL)
    result = backtest(words, **ALL, positive="left")
    assert result_of(result, 0, "model", "f1", "realized") == result_of(baseline, 0, "model", "f1", "realized")


def test_a_score_that_0_5_does_not_separate_gets_a_threshold(world: pd.DataFrame) -> None:
    result = backtest(world.assign(score=world["score"] * 0.4), **ALL)
    note = next(note for note in result.inferred if note.what == "prediction")
    assert "the best F1" in note.rule
    assert result_of(result, 0, "model", "f1", "realized").value is not None


def test_an_end_of_the_reference_is_proposed(world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match=r"reference_until='2026-01-07' leaves 1,200 of 4,000"):
        backtest(world, **{**ALL, "reference_until": None})


@pytest.mark.parametrize("until", ["2025-01-01", "2027-01-01"])
def test_an_empty_reference_or_analysis_is_rejected(until: str, world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="leaves no rows on one side"):
        backtest(world, **{**ALL, "reference_until": until})


def test_data_without_rows_is_rejected(world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="no rows"):
        backtest(world.iloc[:0], **ALL)


def test_the_methods_of_the_spec_are_computed_by_segment(world: pd.DataFrame) -> None:
    spec = {
        "categorical_methods": ["jensen_shannon", "l_infinity", "psi"],
        "multivariate_methods": ["pca_reconstruction"],
        "quality": ["missing_values", "duplicates", "row_count", "freshness"],
        "statistics": ["mean", "quantiles"],
        "segments": ["label"],
        "minimum_rows": 30,
    }
    result = backtest(world.rename(columns={"plan": "label"}), **{**ALL, "spec": spec})
    frame = result.to_frame()
    assert set(frame["kind"]) == {"realized", "estimated", "drift", "multivariate", "quality", "statistic"}
    assert set(frame["segment"].dropna()) == {"label=basic", "label=plus", "label=max"}
    rows = frame[(frame["method"] == "row_count") & frame["segment"].notna()].groupby("start")["value"].sum()
    assert rows.tolist() == [200.0] * 8
    assert [line for line in json.loads(result.to_json())["chunks"][0]["results"] if line.get("segment") == "label=max"]
    assert "label=max" in result.to_html()


def test_the_longest_period_with_enough_chunks_is_chosen(world: pd.DataFrame) -> None:
    many = pd.concat([world] * 3).assign(ref=lambda rows: range(len(rows)))
    assert backtest(many, **{**ALL, "chunk": None}).chunk == "1d"
    few = backtest(world, **{**ALL, "chunk": None})
    assert few.chunk == "count:16"  # 1,600 rows after the reference
    assert few.inferred[0].what == "chunk"


def test_columns_that_are_left_out_are_listed(world: pd.DataFrame) -> None:
    rows = world.assign(seen=world["when"], name=world["ref"] + "x", flag=world["age"] > 40, tier=world["age"] % 3)
    rows["tags"] = pd.Series([["a"] for _ in range(len(world))], dtype=object)
    result = backtest(rows, **ALL)
    assert {note.value for note in result.inferred if note.what == "left out"} == {"seen", "name", "tags"}
    kinds = {note.what: note.value for note in result.inferred}
    assert (kinds["categorical"], kinds["continuous"]) == ("plan, flag, tier", "usage, age")
    result = backtest(rows.drop(columns="tags"), **ALL, categorical=["plan"])
    assert next(note.value for note in result.inferred if note.what == "continuous") == "usage, age, tier"
