"""Several classes and numbers: what is inferred, and that the numbers are the engine's."""

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
    said = first[[f"p_{name}" for name in NAMES]].to_numpy().argmax(axis=1)
    right = [NAMES[place] == true for place, true in zip(said, first["tier"], strict=True)]
    assert value(result, "accuracy").value == pytest.approx(np.mean(right), rel=1e-12)
    assert value(result, "roc_auc", "estimated").value is not None
    assert {r.subject for r in result.chunks[0].results} == {
        "model", "usage", "plan", "p_gold", "p_silver", "p_none", "prediction",
    }  # fmt: skip


def test_without_scores_classes_come_from_the_reference(tiers: pd.DataFrame) -> None:
    said = tiers[["when", "usage", "tier"]].assign(said=tiers["tier"].where(tiers["usage"] > 9, "gold"))
    result = backtest(said, timestamp="when", label="tier", prediction="said", reference_until=UNTIL, chunk="1d")
    assert (result.spec.problem, result.spec.classes) == ("multiclass", ("gold", "none", "silver"))
    assert value(result, "f1").value is not None
    assert value(result, "roc_auc").value is None
    assert {chunk.verdict.state for chunk in result.chunks[:2]} <= {State.OK, State.WARN}


@pytest.mark.slow
def test_numbers_with_a_fraction_make_a_regression(world: pd.DataFrame, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "prices.parquet"
    rows = world[["when", "usage", "plan"]].assign(price=world["usage"] * 3 + rng.normal(size=len(world)))
    rows.assign(said=rows["usage"] * 3).to_parquet(path)
    result = backtest(path, timestamp="when", label="price", prediction="said", reference_until=UNTIL, chunk="1d")
    assert result.spec.problem == "regression"
    first = pd.read_parquet(path).query("when >= '2026-01-13' and when < '2026-01-14'")
    error = (first["price"] - first["said"]).abs().mean()
    assert value(result, "mae").value == pytest.approx(error, rel=1e-12)
    assert value(result, "mae", "estimated").value is not None


def test_whole_numbers_of_classes_may_be_stored_otherwise(tiers: pd.DataFrame) -> None:
    numbers = tiers["tier"].map({name: place for place, name in enumerate(NAMES)})
    rows = tiers[["when", "usage"]].assign(label=numbers, said=numbers.astype(str))
    result = backtest(rows, timestamp="when", label="label", prediction="said", reference_until=UNTIL, chunk="1d")
    assert value(result, "accuracy").value == 1.0


def test_label_and_prediction_may_have_words_of_their_own(world: pd.DataFrame) -> None:
    rows = world[["when", "usage", "churned"]].assign(said=world["churned"].map({0: "no", 1: "yes"}))
    result = backtest(rows, timestamp="when", label="churned", prediction="said", reference_until=UNTIL, chunk="1d")
    assert result.spec.problem == "binary"
    assert value(result, "accuracy").value == 1.0


def test_a_class_that_comes_later_leaves_only_its_chunk_without_performance(tiers: pd.DataFrame) -> None:
    rows = tiers.assign(said=tiers["tier"].where(tiers["usage"] > 9, "gold"))
    rows.loc[rows["when"] >= "2026-01-20", "tier"] = "bronze"
    result = backtest(rows, timestamp="when", label="tier", prediction="said", reference_until=UNTIL, chunk="1d")
    *before, last = [next(r for r in chunk.results if r.method == "f1") for chunk in result.chunks]
    assert all(one.value is not None for one in before)
    assert (last.value, last.state) == (None, State.INSUFFICIENT)
    assert last.reason == "column 'tier' holds bronze: classes that the spec does not list"


def test_a_class_without_a_score_is_refused_by_the_name_of_its_column(tiers: pd.DataFrame) -> None:
    scores = {name: f"p_{name}" for name in NAMES[:2]}
    with pytest.raises(InvalidInput, match=r"column 'tier' holds 'none', .* classes gold, silver; .*spec=..."):
        backtest(tiers, timestamp="when", label="tier", score=scores, reference_until=UNTIL, chunk="1d")


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"problem": "regression", "score": "p_gold"}, "a regression has no scores"),
        ({"problem": "binary", "score": {"a": "p_gold", "b": "p_none"}}, "a binary model has one score"),
        ({"problem": "binary"}, "positive="),
        ({"features": ["tier"]}, "tier cannot be a feature"),
        ({"features": ["usage"], "categorical": ["plan"]}, r"categorical=\['plan'\] is not among the features"),
        ({"positive": "gold", "problem": "binary"}, "must be one of two values"),
    ],
)
def test_what_contradicts_itself_is_refused(asked: dict[str, Any], fault: str, tiers: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match=fault):
        backtest(tiers, **{"timestamp": "when", "label": "tier", "reference_until": UNTIL, "chunk": "1d", **asked})


@pytest.mark.parametrize("number", [np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("column", ["usage", "age", "score", "churned"])
def test_infinite_and_huge_numbers_cause_no_warning(column: str, number: float, world: pd.DataFrame) -> None:
    rows = world.assign(said=world["churned"]).astype({column: float})
    rows.loc[::3, column] = number
    try:
        backtest(
            rows, timestamp="when", label="churned", prediction="said", score="score", reference_until=UNTIL, chunk="1d"
        )
    except InvalidInput as error:
        assert column == "churned", error


def test_a_column_with_lists_as_id_is_called_as_the_data_calls_it(world: pd.DataFrame) -> None:
    rows = world.assign(ref=pd.Series([[row] for row in range(len(world))], dtype=object))
    with pytest.raises(InvalidInput, match=r"column 'ref' holds values that are neither numbers nor text"):
        backtest(rows, timestamp="when", label="churned", score="score", id="ref", reference_until=UNTIL, chunk="1d")
