"""The published JSON schema is the code's, and a backtest's JSON is valid under it."""

import json
from typing import Any

import jsonschema_rs
import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.output.result import BacktestResult
from driftline.report.schema import BacktestOut, ChunkBrief, ChunkOut, ResultOut, backtest_json_schema
from tests.unit.backtesting.conftest import UNTIL, make_world
from tests.unit.docs.pages import ROOT


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    spec = {"segments": ["plan"], "statistics": ["mean"]}
    world = make_world()
    world.loc[world["when"] > "2026-01-19", "churned"] = pd.NA
    return backtest(
        world, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d", spec=spec
    )


@pytest.fixture(scope="module")
def written(result: BacktestResult) -> Any:
    return json.loads(result.to_json())


def test_the_published_schema_is_generated_from_the_code() -> None:
    assert (ROOT / "docs/reference/backtest.schema.json").read_text() == backtest_json_schema()


@pytest.mark.slow
def test_a_backtest_is_valid_under_the_schema(written: Any) -> None:
    validator = jsonschema_rs.validator_for(json.loads(backtest_json_schema()))
    assert list(validator.iter_errors(written)) == []
    without_chunks = {name: value for name, value in written.items() if name != "chunks"}
    assert list(validator.iter_errors(without_chunks)) != []


@pytest.mark.slow
def test_the_models_write_the_same_as_the_result(written: Any) -> None:
    assert BacktestOut.model_validate(written).model_dump(mode="json", by_alias=True) == written


def test_chunks_and_results_have_every_field(written: Any) -> None:
    for chunk in written["chunks"]:
        assert chunk.keys() == ChunkOut.model_fields.keys()
        assert all(result.keys() == ResultOut.model_fields.keys() for result in chunk["results"])
    segments = {result["segment"] for chunk in written["chunks"] for result in chunk["results"]}
    assert segments == {None, "plan=basic", "plan=plus", "plan=max"}


def test_a_chunk_without_its_results_has_the_other_fields(result: BacktestResult, written: Any) -> None:
    brief = ChunkBrief.of(result.spec, result.chunks[-1]).model_dump(mode="json")
    assert brief == {name: value for name, value in written["chunks"][-1].items() if name != "results"}
    assert (brief["status"], brief["closed"], brief["revision"], brief["waiting"]) == ("open", False, None, False)


def test_evidence_tells_what_changed_since_when_and_how_surely(written: Any) -> None:
    evidence = [chunk["evidence"] for chunk in written["chunks"]]
    assert evidence[:3] == [None] * 3
    first = evidence[3]
    change = first["change"]
    assert (first["level"], change["metric"], change["since"]) == ("alert", "roc_auc", "2026-01-16T00:00:00Z")
    assert change["difference"] == change["observed"] - change["usual"] < -0.2
    assert min(change["log_evidence"], change["share_of_alert"]) > 1
    assert {found["incident_since"] for found in evidence[3:6]} == {"2026-01-16T00:00:00Z"}


def test_drift_is_seen_before_it_lasts(written: Any) -> None:
    shifted = written["chunks"][3]
    assert (shifted["drifted"], shifted["drift_seen"]) == ([], ["usage"])
    assert written["chunks"][4]["drifted"] == ["usage"]


def test_the_frame_has_the_fields_of_the_json(result: BacktestResult) -> None:
    frame = result.to_frame()
    assert set(frame.columns) >= ResultOut.model_fields.keys() - {"rows"} | {"result_rows", "chunk_rows"}
    assert frame["expected"].notna().any()
