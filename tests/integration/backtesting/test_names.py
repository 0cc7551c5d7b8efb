"""A feature may have any name: those of the engine's outputs, `model`, blanks, commas, and numbers."""

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
def odd(world: pd.DataFrame) -> dl.BacktestResult:
    """The features `usage`, `age` and `plan` are called `model`, `prediction` and `label`."""
    names = {"usage": "model", "age": "prediction", "plan": "label"}
    return dl.backtest(world.rename(columns=names), **ROLES, spec={"segments": ["label"], "label_drift": True})


@pytest.fixture(scope="module")
def plain(world: pd.DataFrame) -> dl.BacktestResult:
    return dl.backtest(world, **ROLES, spec={"segments": ["plan"], "label_drift": True})


def test_no_number_has_the_name_of_another_one(odd: dl.BacktestResult) -> None:
    for chunk in odd.chunks:
        names = [(r.subject, r.kind, r.method, r.segment) for r in chunk.results]
        assert len(names) == len(set(names))


def test_results_do_not_depend_on_the_names_of_features(odd: dl.BacktestResult, plain: dl.BacktestResult) -> None:
    names = {"usage": "model", "age": "prediction", "plan": "label", "prediction": "prediction from score"}
    for chunk, renamed in zip(plain.chunks, odd.chunks, strict=True):
        expected = [
            (names.get(r.subject, r.subject), r.subject_kind, r.method, r.value, r.state) for r in chunk.results
        ]
        results = [(r.subject, r.subject_kind, r.method, r.value, r.state) for r in renamed.results]
        assert sorted(results, key=str) == sorted(expected, key=str)
        assert renamed.verdict.state is chunk.verdict.state
        assert set(renamed.verdict.drifted) == {names.get(name, name) for name in chunk.verdict.drifted}


def test_a_drifted_feature_called_model_is_listed(odd: dl.BacktestResult) -> None:
    assert "model" in odd.chunks[-2].verdict.drifted
    assert {r.subject_kind for r in odd.chunks[0].results if r.subject == "model"} == {
        SubjectKind.MODEL,
        SubjectKind.FEATURE,
    }
    row = next(r for r in odd.to_dict()["chunks"][0]["results"] if r["subject"] == "churned")
    assert row["subject_kind"] == "label"
    assert set(odd.to_frame().subject_kind) == {"model", "feature", "score", "prediction", "label"}


def test_no_text_shows_the_names_inside_the_engine(odd: dl.BacktestResult) -> None:
    assert "feature:" not in odd.to_json()
    assert "feature:" not in odd.to_html()
    assert odd.spec.segments == ("label",)
    assert odd.spec.features == ("model", "prediction", "label")


def test_an_error_of_the_engine_shows_the_name_of_the_data(world: pd.DataFrame) -> None:
    many = world.assign(label=[f"c{n % 60}" for n in range(len(world))]).drop(columns="plan")
    with pytest.raises(dl.InvalidInput) as caught:
        dl.backtest(many, **ROLES, features=["label", "usage"], spec={"segments": ["label"]})
    assert "feature:" not in str(caught.value)
    assert "label has 60 values" in str(caught.value)


def test_a_plot_takes_one_subject(odd: dl.BacktestResult) -> None:
    titles = [axes.get_title(loc="left") for axes in odd.plot("model").axes]
    assert any(title.startswith("model: ") for title in titles)
    assert "ROC AUC" in titles
    with pytest.raises(dl.InvalidInput, match="There are no results for usage"):
        odd.plot("usage")


def test_columns_may_be_numbers(world: pd.DataFrame, plain: dl.BacktestResult) -> None:
    numbered = world.set_axis(range(len(world.columns)), axis=1)
    roles: dict[str, Any] = {"timestamp": 0, "id": 1, "score": 5, "label": 6, "features": [2, 3, 4]}
    result = dl.backtest(numbered, **roles, reference_until=UNTIL, chunk="1d")
    assert [c.verdict.state for c in result.chunks] == [c.verdict.state for c in plain.chunks]
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
def test_what_is_no_name_is_refused(argument: dict[str, Any], words: str, world: pd.DataFrame) -> None:
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
    done = invoke(
        file, "--timestamp", "when", "--label", "churned", "--score", "1=score", "--reference-until", UNTIL,
        "--chunk", "1d", "--features", text, "--json", json,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
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


def test_a_monitor_takes_features_of_any_name() -> None:
    rows = _rows(names=["model", "größe, in m"])
    fitted = dl.Monitor({"columns": ["model", "größe, in m"]}).fit(rows)
    shifted = rows.assign(model=rows.model + 5)
    chunks = list(dl.FittedMonitor.from_json(fitted.to_json()).evaluate_chunks(shifted))
    assert fitted.verdicts(chunks)[-2].drifted == ("model",)


def test_a_spec_takes_plain_names_and_raises_an_error_of_ours() -> None:
    assert dl.Spec(columns=["u"]).features == ("u",)
    with pytest.raises(dl.InvalidInput) as caught:
        dl.Spec(columns=[3], minimum_rows="few")
    assert [detail.split(": ")[1] for detail in caught.value.details] == ["columns.0", "minimum_rows"]


def test_summaries_of_different_monitors_are_not_merged() -> None:
    rows = _rows(names=["u"])
    monitor = dl.Monitor({"columns": ["u"]})
    one, other = monitor.fit(rows), monitor.fit(rows.assign(u=rows.u + 1))
    again = dl.FittedMonitor.from_json(one.to_json())
    first, second = one.summarize(rows[:300]), other.summarize(rows[300:600])
    with pytest.raises(dl.InvalidInput, match="two different monitors, whose bins and columns differ"):
        one.merge(first, second)
    with pytest.raises(dl.InvalidInput, match="the summary is of another monitor"):
        other.finish(first, "2026-01-01")
    assert one.finish(again.merge(first, again.summarize(rows[300:600])), "2026-01-01").rows == 600
