"""Words are read as class 0 and class 1, and distinct classes stay distinct."""

from typing import Any

import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.request.outputs.classes import Classes
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL


def read(values: list[Any], positive: str | None = None, words: list[str] | None = None) -> list[float]:
    series = pd.Series(values, name="y")
    texts = words or list(map(str, dict.fromkeys(series.tolist())))
    numbers: list[float] = Classes.of({"y": texts}, positive).numbers(series).tolist()
    return numbers


@pytest.mark.parametrize(
    ("values", "positive", "numbers"),
    [
        ([0, 1, 1], None, [0, 1, 1]),
        ([-1, 1], None, [0, 1]),
        (["Yes", " no", "YES"], None, [1, 0, 1]),
        (["1.0", "0.0"], None, [1, 0]),
        (["yes"], None, [1]),
        ([2, 1], "2.0", [1, 0]),
        ([2, 1], " 2 ", [1, 0]),
        (["stay", "churn"], "Churn", [0, 1]),
        (["yes", "no"], "no", [0, 1]),
    ],
)
def test_words_are_read_as_classes(values: list[Any], positive: str | None, numbers: list[float]) -> None:
    assert read(values, positive) == numbers


@pytest.mark.parametrize("positive", ["True", "true", "1", "1.0"])
def test_true_is_class_1_if_positive_says_so(positive: str) -> None:
    assert read([True, False], positive, ["0", "1"]) == [1, 0]


def test_false_may_be_class_1() -> None:
    assert read([True, False], "False", ["0", "1"]) == [0, 1]


@pytest.mark.parametrize("values", [[-1, 0, 1], ["yes", "no", "0"], ["t", "true", "f"]])
def test_words_of_two_pairs_in_one_column_are_rejected(values: list[Any]) -> None:
    with pytest.raises(InvalidInput, match=r"not two classes of one pair of words.*problem='multiclass'"):
        read(values)


@pytest.mark.parametrize("values", [[0, -1], ["stay", "churn"]])
def test_class_1_of_two_unknown_words_must_be_passed(values: list[Any]) -> None:
    with pytest.raises(InvalidInput, match=r"class 1 is unknown; pass positive="):
        read(values)


def test_columns_may_use_different_words() -> None:
    classes = Classes.of({"y": ["0", "1"], "predicted": ["yes", "no"]}, None)
    assert classes.numbers(pd.Series(["no", "yes"], name="predicted")).tolist() == [0, 1]
    assert classes.numbers(pd.Series([1, 0], name="y")).tolist() == [1, 0]


@pytest.mark.parametrize("later", [2, -1])
def test_a_value_of_neither_class_is_reported_with_both_classes(later: int) -> None:
    with pytest.raises(InvalidInput, match=rf"'y' holds '{later}', .* of the reference: '0', '1'; .*multiclass"):
        read([0, 1, later], words=["0", "1"])


def test_a_category_without_rows_is_ignored() -> None:
    series = pd.Series(pd.Categorical(["a", "b"], categories=["a", "b", "never"]), name="y")
    assert Classes.of({"y": ["a", "b"]}, "b").numbers(series).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("score", "positive", "fault"),
    [
        (
            {"0": "score"},
            None,
            "score={'0': 'score'}: one score is the probability of class 1, and '0' is not that class",
        ),
        ({"banana": "score"}, None, "score={'banana': 'score'}: if 'banana' is class 1, pass positive='banana'"),
        ({"1": "score"}, "0", "'1' is not that class"),
    ],
)
def test_a_single_score_must_be_that_of_class_1(
    score: dict[str, str], positive: str | None, fault: str, world: pd.DataFrame
) -> None:
    with pytest.raises(InvalidInput) as caught:
        backtest(world, timestamp="when", label="churned", score=score, positive=positive, reference_until=UNTIL)
    assert fault in str(caught.value)


def test_a_single_score_may_name_class_1(world: pd.DataFrame) -> None:
    options: dict[str, Any] = {
        "timestamp": "when",
        "label": "churned",
        "reference_until": UNTIL,
        "chunk": "1d",
        "features": ["usage"],
    }
    unnamed = backtest(world, **options, score="score")
    for name, positive in (("1", None), ("True", None), ("1.0", "1")):
        renamed = backtest(world, **options, score={name: "score"}, positive=positive)
        assert renamed.chunks == unnamed.chunks, name


def test_the_class_with_higher_scores_is_proposed_as_class_1(world: pd.DataFrame) -> None:
    renamed = world.assign(churned=world.churned.map({1: "gone", 0: "stays"}))
    with pytest.raises(
        InvalidInput, match=r"positive='gone' if the score is the probability of 'gone'.*else .*'stays'"
    ):
        backtest(renamed, timestamp="when", label="churned", score="score", reference_until=UNTIL)


def test_without_scores_both_values_are_proposed() -> None:
    with pytest.raises(InvalidInput, match="pass positive='churn' or positive='stay'"):
        read(["stay", "churn"])
