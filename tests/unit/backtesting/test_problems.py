"""Multiclass models and regressions: what is inferred, and the values of the results."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.engine.results import State
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL

NAMES = ("gold", "silver", "none")


@pytest.fixture(scope="module")
def tiers(world: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    scores = rng.dirichlet((2, 2, 2), len(world))
    true = [NAMES[place] for place in (scores.cumsum(axis=1) > rng.uniform(size=(len(world), 1))).argmax(axis=1)]
    columns = {f"p_{name}": scores[:, place] for place, name in enumerate(NAMES)}
    return world[["when", "usage", "plan"]].assign(tier=true, **columns)


def value(result: Any, method: str, kind: str = "realized") -> Any:
    return next(r for r in result.chunks[0].results if (r.method, r.kind.value, r.subject) == (method, kind, "model"))


@pytest.mark.slow
def test_scores_of_several_classes_make_a_multiclass_model(tiers: pd.DataFrame) -> None:
    scores = {name: f"p_{name}" for name in NAMES}
    result = backtest(tiers, timestamp="when", label="tier", score=scores, reference_until=UNTIL, chunk="1d")
    assert result.spec.problem == "multiclass"
    assert result.spec.classes == NAMES
    first = tiers[(tiers["when"] >= UNTIL) & (tiers["when"] < "2026-01-14")]
    predicted = first[[f"p_{name}" for name in NAMES]].to_numpy().argmax(axis=1)
    right = [NAMES[place] == true for place, true in zip(predicted, first["tier"], strict=True)]
    assert value(result, "accuracy").value == pytest.approx(np.mean(right), rel=1e-12)
    assert value(result, "roc_auc", "estimated").value is not None
    assert {r.subject for r in result.chunks[0].results} == {
        "model", "usage", "plan", "p_gold", "p_silver", "p_none", "prediction",
    }  # fmt: skip


def test_without_scores_classes_come_from_the_reference(tiers: pd.DataFrame) -> None:
    rows = tiers[["when", "usage", "tier"]].assign(predicted=tiers["tier"].where(tiers["usage"] > 9, "gold"))
    result = backtest(rows, timestamp="when", label="tier", prediction="predicted", reference_until=UNTIL, chunk="1d")
    assert (result.spec.problem, result.spec.classes) == ("multiclass", ("gold", "none", "silver"))
    assert value(result, "f1").value is not None
    assert value(result, "roc_auc").value is None
    assert {chunk.verdict.state for chunk in result.chunks[:2]} <= {State.OK, State.WARN}


@pytest.mark.slow
def test_numbers_with_a_fraction_make_a_regression(world: pd.DataFrame, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "prices.parquet"
    rows = world[["when", "usage", "plan"]].assign(price=world["usage"] * 3 + rng.normal(size=len(world)))
    rows.assign(predicted=rows["usage"] * 3).to_parquet(path)
    result = backtest(path, timestamp="when", label="price", prediction="predicted", reference_until=UNTIL, chunk="1d")
    assert result.spec.problem == "regression"
    first = pd.read_parquet(path).query("when >= '2026-01-13' and when < '2026-01-14'")
    error = (first["price"] - first["predicted"]).abs().mean()
    assert value(result, "mae").value == pytest.approx(error, rel=1e-12)
    assert value(result, "mae", "estimated").value is not None


def test_classes_may_be_integers_and_text(tiers: pd.DataFrame) -> None:
    numbers = tiers["tier"].map({name: place for place, name in enumerate(NAMES)})
    rows = tiers[["when", "usage"]].assign(label=numbers, predicted=numbers.astype(str))
    result = backtest(rows, timestamp="when", label="label", prediction="predicted", reference_until=UNTIL, chunk="1d")
    assert value(result, "accuracy").value == 1.0


def test_label_and_prediction_may_use_different_words(world: pd.DataFrame) -> None:
    rows = world[["when", "usage", "churned"]].assign(pred=world["churned"].map({0: "no", 1: "yes"}))
    result = backtest(rows, timestamp="when", label="churned", prediction="pred", reference_until=UNTIL, chunk="1d")
    assert result.spec.problem == "binary"
    assert value(result, "accuracy").value == 1.0


def test_an_unknown_class_makes_only_its_chunk_insufficient(tiers: pd.DataFrame) -> None:
    rows = tiers.assign(predicted=tiers["tier"].where(tiers["usage"] > 9, "gold"))
    rows.loc[rows["when"] >= "2026-01-20", "tier"] = "bronze"
    result = backtest(rows, timestamp="when", label="tier", prediction="predicted", reference_until=UNTIL, chunk="1d")
    *earlier, last = [next(r for r in chunk.results if r.method == "f1") for chunk in result.chunks]
    assert all(f1.value is not None for f1 in earlier)
    assert (last.value, last.state) == (None, State.INSUFFICIENT)
    assert last.reason == "column 'tier' holds bronze: classes that the spec does not list"


def test_a_class_without_a_score_is_rejected_with_its_column(tiers: pd.DataFrame) -> None:
    scores = {name: f"p_{name}" for name in NAMES[:2]}
    with pytest.raises(InvalidInput, match=r"column 'tier' holds 'none', .* classes gold, silver; .*spec=..."):
        backtest(tiers, timestamp="when", label="tier", score=scores, reference_until=UNTIL, chunk="1d")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"problem": "regression", "score": "p_gold"}, "a regression has no scores"),
        ({"problem": "binary", "score": {"a": "p_gold", "b": "p_none"}}, "a binary model has one score"),
        ({"problem": "binary"}, "positive="),
        ({"features": ["tier"]}, "tier cannot be a feature"),
        ({"features": ["usage"], "categorical": ["plan"]}, r"categorical=\['plan'\] is not among the features"),
        ({"positive": "gold", "problem": "binary"}, "must be one of two values"),
    ],
)
def test_contradictory_options_are_rejected(options: dict[str, Any], fault: str, tiers: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match=fault):
        backtest(tiers, **{"timestamp": "when", "label": "tier", "reference_until": UNTIL, "chunk": "1d", **options})


@pytest.mark.slow
@pytest.mark.parametrize("number", [np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("column", ["usage", "age", "score", "churned"])
def test_infinite_and_huge_numbers_cause_no_warning(column: str, number: float, world: pd.DataFrame) -> None:
    rows = world.assign(pred=world["churned"]).astype({column: float})
    rows.loc[::3, column] = number
    try:
        backtest(
            rows,
            timestamp="when",
            label="churned",
            prediction="pred",
            score="score",
            reference_until=UNTIL,
            chunk="1d",
        )
    except InvalidInput as error:
        assert column == "churned", error


def test_an_id_column_with_lists_is_named(world: pd.DataFrame) -> None:
    rows = world.assign(ref=pd.Series([[row] for row in range(len(world))], dtype=object))
    with pytest.raises(InvalidInput, match=r"column 'ref' holds values that are neither numbers nor text"):
        backtest(rows, timestamp="when", label="churned", score="score", id="ref", reference_until=UNTIL, chunk="1d")
