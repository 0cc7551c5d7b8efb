import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.backtesting.backtest import backtest
from driftline.backtesting.execution.run import run
from driftline.backtesting.input import csv_source, sources
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunks import by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import fit_reference
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
def judged(world: pd.DataFrame) -> BacktestResult:
    return backtest(world, **ALL)


def numbers(result: BacktestResult) -> list[tuple[Any, ...]]:
    return [
        (c.start, c.end, c.rows, c.labelled, c.closed, c.verdict, tuple(sorted(c.results, key=repr)))
        for c in result.chunks
    ]


def found(result: BacktestResult, place: int, subject: str, method: str, kind: str = "drift") -> Result:
    chosen = [r for r in result.chunks[place].results if (r.subject, r.method, r.kind.value) == (subject, method, kind)]
    assert len(chosen) == 1, f"{subject} {method} {kind}: {len(chosen)}"
    return chosen[0]


def test_its_repr_is_short_and_its_html_a_table(judged: BacktestResult) -> None:
    assert len(repr(judged)) < 1_300
    assert repr(judged).startswith("BacktestResult of churn: 8 chunks (1d; ")
    assert len(repr(judged.chunks[0])) < 1_500
    page = judged._repr_html_()
    assert page.count("<tr>") == 9
    assert len(page) < 5_000


def test_the_library_offers_it() -> None:
    assert dl.backtest is backtest
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = dl.nothing_such


def test_it_finds_what_broke(judged: BacktestResult) -> None:
    states = [chunk.verdict.state for chunk in judged.chunks]
    assert states[:3] == [State.OK] * 3
    assert State.ALERT in states[3:5]
    assert judged.worst is State.ALERT
    assert "usage" in judged.chunks[5].verdict.drifted


def test_each_chunk_equals_the_engine_on_its_rows(world: pd.DataFrame, judged: BacktestResult) -> None:
    columns = (
        ColumnSpec(name="usage"),
        ColumnSpec(name="age"),
        ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL),
    )
    spec = Spec(columns=columns, period=Period.DAY)
    frame = world.rename(columns={"when": "event_time", "ref": "id", "score": "probability_1", "churned": "label"})
    frame["event_time"] = frame["event_time"].dt.tz_localize("UTC")
    frame["prediction"] = (frame["probability_1"] >= 0.5).astype(int)
    before = frame["event_time"] < UNTIL
    fitted = fit_reference(frame[before], spec)
    assert (judged.reference.rows, judged.reference.chunks) == (12 * A_DAY, 12)
    names = {"probability_1": "score", "label": "churned"}
    for (chunk, rows), told in zip(by_chunk(frame[~before], Period.DAY, ZoneInfo("UTC")), judged.chunks, strict=True):
        assert (told.start, told.end, told.rows) == (chunk.start, chunk.end, len(rows))
        expected = {(r.subject, r.kind, r.method): r for r in evaluate_chunk(fitted, spec, rows, chunk)}
        said = {(r.subject, r.kind, r.method): r for r in told.results}
        for (subject, kind, method), result in expected.items():
            other = said[names.get(subject, subject), kind, method]
            assert (other.value, other.bounds, other.sampling_error) == (
                result.value, result.bounds, result.sampling_error,
            )  # fmt: skip
        assert len(said) == len(expected)


def test_only_the_last_chunk_is_left_open_by_the_datas_end(judged: BacktestResult) -> None:
    assert [chunk.status for chunk in judged.chunks] == ["closed"] * 7 + ["open"]
    assert judged.chunks[-1].verdict.provisional


def test_the_order_of_the_rows_changes_nothing(world: pd.DataFrame, judged: BacktestResult) -> None:
    assert numbers(backtest(world.sample(frac=1, random_state=3), **ALL)) == numbers(judged)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_file_says_what_the_frame_says(
    ending: str, world: pd.DataFrame, judged: BacktestResult, tmp_path: Path
) -> None:
    path = tmp_path / f"churn.{ending}"
    _ = world.to_parquet(path) if ending == "parquet" else world.to_csv(path, index=False)
    assert numbers(backtest(path, **ALL)) == numbers(judged)


@pytest.mark.parametrize("chunk", ["1d", "rows:700", "count:5"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_file_larger_than_memory_says_the_same(
    chunk: str, ending: str, shuffled: bool, world: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BLOCK_ROWS", 1_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 40_000)
    path = tmp_path / f"churn.{ending}"
    rows = world.sample(frac=1, random_state=3) if shuffled else world
    _ = rows.to_parquet(path, index=False) if ending == "parquet" else rows.to_csv(path, index=False)
    kind: Any = sources.ParquetSource if ending == "parquet" else csv_source.CsvSource
    streamed, whole = kind.of(path, largest=0), kind.of(path)
    options = Request("when", "churned", None, (ScoreColumn("score"),), "ref", reference_until=UNTIL, chunk=chunk)
    request = read_request(options, whole.columns)
    assert (streamed.single_block, whole.single_block) == (False, True)
    assert len(list(streamed.blocks(("when",)))) > 3
    assert_close(run(streamed, request), run(whole, request))


def assert_close(one: BacktestResult, other: BacktestResult) -> None:
    """Merged sums may differ from sums at once by their last digits."""
    for mine, theirs in zip(numbers(one), numbers(other), strict=True):
        assert mine[:5] == theirs[:5]
        assert mine[5].state == theirs[5].state
        for a, b in zip(mine[6], theirs[6], strict=True):
            assert (a.subject, a.kind, a.method, a.state, a.rows) == (b.subject, b.kind, b.method, b.state, b.rows)
            assert a.value == pytest.approx(b.value, rel=1e-9, abs=1e-12)


def test_the_json_has_the_keys_that_readers_know(judged: BacktestResult) -> None:
    written = json.loads(judged.to_json())
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
    assert {one["what"] for one in written["inferred"]} >= {"problem", "features", "prediction"}


def test_the_frame_has_one_row_for_each_result(judged: BacktestResult) -> None:
    frame = judged.to_frame()
    assert len(frame) == sum(len(chunk.results) for chunk in judged.chunks)
    assert frame["start"].dt.tz is not None
    auc = frame[(frame["method"] == "roc_auc") & (frame["kind"] == "realized")]
    assert auc["value"].tolist() == [found(judged, i, "model", "roc_auc", "realized").value for i in range(8)]


def test_the_figure_has_a_panel_for_each_number(judged: BacktestResult) -> None:
    titles = [axis.get_title(loc="left") for axis in judged.plot(["model", "usage"]).axes]
    assert "ROC AUC" in titles
    assert "usage: Wasserstein distance" in titles
    with pytest.raises(InvalidInput, match=r"nobody.*there are .*usage"):
        judged.plot(["nobody"])


def test_chunks_of_rows_come_in_the_order_of_time(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "rows:700"})
    assert [chunk.rows for chunk in result.chunks] == [700, 700, 200]
    assert [chunk.status for chunk in result.chunks] == ["closed", "closed", "open"]
    assert all(one.end == after.start for one, after in zip(result.chunks, result.chunks[1:], strict=False))
    assert result.reference.chunks == 4
    assert result.chunks[0].start == datetime(2026, 1, 13, tzinfo=UTC)


def test_a_count_of_chunks_cuts_the_reference_into_chunks_as_large(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "count:16"})
    assert [chunk.rows for chunk in result.chunks] == [100] * 16
    assert {chunk.status for chunk in result.chunks} == {"closed"}
    assert result.reference.chunks == 24


def test_a_count_of_chunks_under_nannymls_thresholds_is_that_of_the_reference_too(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "chunk": "count:16", "spec": {"thresholds": "nannyml"}})
    assert result.reference.chunks == 16


def test_rows_of_one_instant_can_be_cut_apart(world: pd.DataFrame) -> None:
    days = world.assign(when=world["when"].dt.floor("D"))
    result = backtest(days, **{**ALL, "chunk": "rows:100"})
    starts = [chunk.start for chunk in result.chunks]
    assert starts == sorted(set(starts))
    assert [chunk.rows for chunk in result.chunks] == [100] * 16
    assert starts[1] - starts[0] == timedelta(microseconds=1)


def test_labels_that_are_missing_are_not_known_yet(world: pd.DataFrame) -> None:
    late = world.assign(churned=world["churned"].where(world["when"] < "2026-01-14"))
    result = backtest(late, **ALL)
    assert [chunk.labelled for chunk in result.chunks] == [200] + [0] * 7
    assert result.chunks[0].verdict.state is State.OK
    assert result.chunks[1].verdict.state is State.PENDING_LABELS
    assert found(result, 1, "model", "f1", "realized").state is State.PENDING_LABELS
    assert found(result, 1, "model", "f1", "estimated").value is not None


def test_without_labels_there_are_estimates_of_nothing_and_a_reason(world: pd.DataFrame) -> None:
    result = backtest(world.drop(columns="churned"), **{**ALL, "label": None})
    assert {chunk.verdict.state for chunk in result.chunks[:3]} == {State.PENDING_LABELS}
    realized = found(result, 0, "model", "roc_auc", "realized")
    assert (realized.value, realized.reason) == (None, "the data has no label column; name it with label=...")
    assert found(result, 5, "usage", "kolmogorov_smirnov").value is not None


def test_with_neither_score_nor_prediction_drift_is_found(world: pd.DataFrame) -> None:
    result = backtest(world.drop(columns="score"), **{**ALL, "score": None})
    reason = found(result, 0, "model", "f1", "realized").reason
    assert reason is not None
    assert "prediction=... or score=..." in reason
    assert {r.subject for r in result.chunks[0].results} == {"model", "usage", "age", "plan"}
    assert found(result, 6, "usage", "jensen_shannon").state is State.WARN


def test_features_may_have_the_names_that_the_engine_uses(world: pd.DataFrame) -> None:
    named = world.rename(columns={"usage": "label", "age": "event_time", "plan": "my plan (€)"})
    result = backtest(named, **ALL)
    assert {r.subject for r in result.chunks[0].results} >= {"label", "event_time", "my plan (€)"}
    assert any(reason.startswith("label drifted") for reason in result.chunks[5].verdict.reasons)


def test_a_chunk_that_the_reference_ends_in_is_provisional(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "reference_until": "2026-01-13T12:00"})
    assert (result.chunks[0].rows, result.chunks[0].status) == (100, "open")
    assert "reference ends inside" in result.chunks[0].verdict.reasons[0]
    assert result.chunks[1].status == "closed"


def test_days_without_rows_are_told(world: pd.DataFrame) -> None:
    day = world["when"].dt.floor("D")
    result = backtest(world[day != pd.Timestamp("2026-01-15")], **ALL)
    assert [chunk.rows for chunk in result.chunks] == [200, 200, 0, 200, 200, 200, 200, 200]
    assert result.chunks[2].verdict.state is State.NO_DATA


def test_the_time_zone_of_the_spec_moves_days_and_naive_times(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "spec": {"time_zone": "Asia/Kolkata"}})
    assert result.chunks[0].start == datetime(2026, 1, 12, 18, 30, tzinfo=UTC)
    assert result.chunks[0].rows == 200


def test_labels_are_due_when_the_spec_says(world: pd.DataFrame) -> None:
    result = backtest(world, **{**ALL, "spec": {"label_delay": "P3D"}})
    assert [chunk.verdict.provisional for chunk in result.chunks] == [False] * 4 + [True] * 4


def test_text_and_true_and_false_are_classes(world: pd.DataFrame, judged: BacktestResult) -> None:
    words = world.assign(churned=np.where(world["churned"] == 1, "Yes", "no"), said=world["score"] >= 0.5)
    result = backtest(words, **ALL, prediction="said")
    for place in range(8):
        for method in ("roc_auc", "f1", "accuracy"):
            mine, theirs = (found(one, place, "model", method, "realized") for one in (result, judged))
            assert mine.value == theirs.value
    assert any(one.what == "class 1" and "yes" in one.value.lower() for one in result.inferred)


def test_other_words_need_to_be_told_apart(world: pd.DataFrame, judged: BacktestResult) -> None:
    words = world.assign(churned=np.where(world["churned"] == 1, "left", "stayed"))
    with pytest.raises(InvalidInput, match=r"'left', 'stayed'.*positive='stayed'"):
        backtest(words, **ALL)
    result = backtest(words, **ALL, positive="left")
    assert found(result, 0, "model", "f1", "realized") == found(judged, 0, "model", "f1", "realized")


def test_a_score_that_is_no_probability_gets_a_threshold_of_its_own(world: pd.DataFrame) -> None:
    result = backtest(world.assign(score=world["score"] * 0.4), **ALL)
    note = next(one for one in result.inferred if one.what == "prediction")
    assert "F1 is best" in note.rule
    assert found(result, 0, "model", "f1", "realized").value is not None


def test_it_says_when_to_end_the_reference(world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match=r"reference_until='2026-01-07' leaves 1,200 of 4,000"):
        backtest(world, **{**ALL, "reference_until": None})


@pytest.mark.parametrize("until", ["2025-01-01", "2027-01-01"])
def test_a_reference_with_nothing_on_one_side_is_refused(until: str, world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="leaves no rows on one side"):
        backtest(world, **{**ALL, "reference_until": until})


def test_no_rows_are_refused(world: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="no rows"):
        backtest(world.iloc[:0], **ALL)


def test_every_method_of_the_spec_is_told_by_segment_too(world: pd.DataFrame) -> None:
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


def test_the_longest_period_that_the_reference_has_enough_of_is_taken(world: pd.DataFrame) -> None:
    many = pd.concat([world] * 3).assign(ref=lambda rows: range(len(rows)))
    assert backtest(many, **{**ALL, "chunk": None}).chunk == "1d"
    few = backtest(world, **{**ALL, "chunk": None})
    assert few.chunk == "count:16"  # 1,600 rows after the reference
    assert few.inferred[0].what == "chunk"


def test_columns_that_are_no_features_are_left_out_and_said(world: pd.DataFrame) -> None:
    odd = world.assign(seen=world["when"], name=world["ref"] + "x", flag=world["age"] > 40, tier=world["age"] % 3)
    odd["tags"] = pd.Series([["a"] for _ in range(len(world))], dtype=object)
    result = backtest(odd, **ALL)
    assert {one.value for one in result.inferred if one.what == "left out"} == {"seen", "name", "tags"}
    kinds = {one.what: one.value for one in result.inferred}
    assert (kinds["categorical"], kinds["continuous"]) == ("plan, flag, tier", "usage, age")
    named = backtest(odd.drop(columns="tags"), **ALL, categorical=["plan"])
    assert next(one.value for one in named.inferred if one.what == "continuous") == "usage, age, tier"
