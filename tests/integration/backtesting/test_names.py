"""Features may have any name: names of the engine's outputs, `model`, blanks, commas, and numbers."""

from json import loads
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.engine.results import SubjectKind
from tests.unit.backtesting.conftest import UNTIL, Invoke

ROLES: dict[str, Any] = {
    "timestamp": "when",
    "label": "churned",
    "score": "score",
    "reference_until": UNTIL,
    "chunk": "1d",
    "id": "ref",
}


@pytest.fixture(scope="module")
def other_names(world: pd.DataFrame) -> dl.BacktestResult:
    """The features `usage`, `age` and `plan` are called `model`, `prediction` and `label`."""
    names = {"usage": "model", "age": "prediction", "plan": "label"}
    return dl.backtest(world.rename(columns=names), **ROLES, spec={"segments": ["label"], "label_drift": True})


@pytest.fixture(scope="module")
def baseline(world: pd.DataFrame) -> dl.BacktestResult:
    return dl.backtest(world, **ROLES, spec={"segments": ["plan"], "label_drift": True})


def test_results_have_distinct_names(other_names: dl.BacktestResult) -> None:
    for chunk in other_names.chunks:
        names = [(r.subject, r.kind, r.method, r.segment) for r in chunk.results]
        assert len(names) == len(set(names))


def test_results_do_not_depend_on_the_names_of_features(
    other_names: dl.BacktestResult, baseline: dl.BacktestResult
) -> None:
    names = {"usage": "model", "age": "prediction", "plan": "label", "prediction": "prediction from score"}
    for chunk, counterpart in zip(baseline.chunks, other_names.chunks, strict=True):
        expected = [
            (names.get(r.subject, r.subject), r.subject_kind, r.method, r.value, r.state) for r in chunk.results
        ]
        results = [(r.subject, r.subject_kind, r.method, r.value, r.state) for r in counterpart.results]
        assert sorted(results, key=str) == sorted(expected, key=str)
        assert counterpart.verdict.state is chunk.verdict.state
        assert set(counterpart.verdict.drifted) == {names.get(name, name) for name in chunk.verdict.drifted}


def test_a_drifted_feature_called_model_is_listed(other_names: dl.BacktestResult) -> None:
    assert "model" in other_names.chunks[-2].verdict.drifted
    assert {r.subject_kind for r in other_names.chunks[0].results if r.subject == "model"} == {
        SubjectKind.MODEL,
        SubjectKind.FEATURE,
    }
    row = next(r for r in other_names.to_dict()["chunks"][0]["results"] if r["subject"] == "churned")
    assert row["subject_kind"] == "label"
    assert set(other_names.to_frame().subject_kind) == {"model", "feature", "score", "prediction", "label"}


def test_no_text_shows_the_engines_names(other_names: dl.BacktestResult) -> None:
    assert "feature:" not in other_names.to_json()
    assert "feature:" not in other_names.to_html()
    assert other_names.spec.segments == ("label",)
    assert other_names.spec.features == ("model", "prediction", "label")


def test_an_error_of_the_engine_shows_the_datas_names(world: pd.DataFrame) -> None:
    many = world.assign(label=[f"c{n % 60}" for n in range(len(world))]).drop(columns="plan")
    with pytest.raises(dl.InvalidInput) as caught:
        dl.backtest(many, **ROLES, features=["label", "usage"], spec={"segments": ["label"]})
    assert "feature:" not in str(caught.value)
    assert "label has 60 values" in str(caught.value)


def test_a_plot_accepts_a_single_subject(other_names: dl.BacktestResult) -> None:
    titles = [axes.get_title(loc="left") for axes in other_names.plot("model").axes]
    assert any(title.startswith("model: ") for title in titles)
    assert "ROC AUC" in titles
    with pytest.raises(dl.InvalidInput, match="There are no results for usage"):
        other_names.plot("usage")


def test_columns_may_be_numbers(world: pd.DataFrame, baseline: dl.BacktestResult) -> None:
    numbered = world.set_axis(range(len(world.columns)), axis=1)
    roles: dict[str, Any] = {"timestamp": 0, "id": 1, "score": 5, "label": 6, "features": [2, 3, 4]}
    result = dl.backtest(numbered, **roles, reference_until=UNTIL, chunk="1d")
    assert [c.verdict.state for c in result.chunks] == [c.verdict.state for c in baseline.chunks]
    assert "2" in result.chunks[-2].verdict.drifted


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"features": 3}, "there is no column '3' (features)"),
        ({"score": 3}, "there is no column '3' (score)"),
        (
            {"features": object},
            "features must be names of columns, not <class 'object'>; pass features=['name', 'other']",
        ),
        ({"features": ["usage", None]}, "features must be names of columns, not ['usage', None]"),
        ({"score": True}, "score must be names of columns, not True"),
        ({"label": ["churned"]}, "label must be the name of a column, not ['churned']"),
        ({"score": {"a": None}, "categorical": float("nan")}, "categorical must be names of columns, not nan"),
    ],
)
def test_values_that_are_not_names_are_rejected(argument: dict[str, Any], words: str, world: pd.DataFrame) -> None:
    with pytest.raises(dl.InvalidInput) as caught:
        dl.backtest(world, **(ROLES | argument))
    assert words in str(caught.value)


COMMAS = {"usage": "a=b,c", "age": ' "q" ', "plan": "x y"}


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ('"a=b,c",x y', {"a=b,c", "x y"}),
        ("a=b,c", {"a=b,c"}),
        ('x y, "a=b,c"', {"x y", "a=b,c"}),
        ('" ""q"" ",x y', {' "q" ', "x y"}),
    ],
)
def test_names_on_the_command_line_are_quoted_as_in_csv(
    text: str, features: set[str], world: pd.DataFrame, tmp_path: Path, invoke: Invoke
) -> None:
    file, json = tmp_path / "d.csv", tmp_path / "o.json"
    world.rename(columns=COMMAS).to_csv(file, index=False)
    completed = invoke(
        file, "--timestamp", "when", "--label", "churned", "--score", "1=score", "--reference-until", UNTIL,
        "--chunk", "1d", "--features", text, "--json", json,
    )  # fmt: skip
    assert completed.exit_code == 0, completed.output
    results = loads(json.read_text())["chunks"][0]["results"]
    assert {row["subject"] for row in results if row["subject_kind"] == "feature"} == features


def test_a_score_may_have_an_equals_sign(world: pd.DataFrame, tmp_path: Path, invoke: Invoke) -> None:
    file = tmp_path / "d.csv"
    world.rename(columns={"score": "p=1"}).to_csv(file, index=False)
    options = ("--timestamp", "when", "--label", "churned", "--reference-until", UNTIL, "--chunk", "1d")
    assert invoke(file, *options, "--score", "1=p=1").exit_code == 0
    assert invoke(file, *options, "--score", "p=1").exit_code == 0


def _rows(**columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    score = rng.random(1_000)
    frame = {
        "event_time": pd.date_range("2026-01-01", periods=1_000, freq="720s", tz="UTC"),
        "id": np.arange(1_000),
        "probability_1": score,
        "prediction": (score >= 0.5).astype(int),
        "label": (rng.random(1_000) < score).astype(int),
    }
    return pd.DataFrame(frame | {name: rng.normal(10, 2, 1_000) for name in columns.pop("names", ())})


def test_a_monitor_accepts_features_of_any_name() -> None:
    rows = _rows(names=["model", "größe, in m"])
    fitted = dl.Monitor({"columns": ["model", "größe, in m"]}).fit(rows)
    shifted = rows.assign(model=rows.model + 5)
    chunks = list(dl.FittedMonitor.from_json(fitted.to_json()).evaluate_chunks(shifted))
    assert fitted.verdicts(chunks)[-2].drifted == ("model",)


def test_a_spec_accepts_plain_names_and_raises_our_error() -> None:
    assert dl.Spec(columns=["u"]).features == ("u",)
    with pytest.raises(dl.InvalidInput) as caught:
        dl.Spec(columns=[3], minimum_rows="few")
    assert [detail.split(": ")[1] for detail in caught.value.details] == ["columns.0", "minimum_rows"]


def test_summaries_of_different_monitors_are_not_merged() -> None:
    rows = _rows(names=["u"])
    monitor = dl.Monitor({"columns": ["u"]})
    monitor_a, monitor_b = monitor.fit(rows), monitor.fit(rows.assign(u=rows.u + 1))
    again = dl.FittedMonitor.from_json(monitor_a.to_json())
    first, second = monitor_a.summarize(rows[:300]), monitor_b.summarize(rows[300:600])
    with pytest.raises(dl.InvalidInput, match="two different monitors, whose bins and columns differ"):
        monitor_a.merge(first, second)
    with pytest.raises(dl.InvalidInput, match="the summary is of another monitor"):
        monitor_b.finish(first, "2026-01-01")
    assert monitor_a.finish(again.merge(first, again.summarize(rows[300:600])), "2026-01-01").rows == 600
