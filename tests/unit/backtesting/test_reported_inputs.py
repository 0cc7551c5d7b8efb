"""Inputs that users reported to other monitoring and profiling tools: computed, or refused with a cure."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.backtesting.output.result import BacktestResult
from driftline.errors import DriftlineError

ROWS = 600
Change = Callable[["pd.Series[Any]"], Any]


def frame() -> pd.DataFrame:
    """Return twelve days of calibrated scores with one feature."""
    random = np.random.default_rng(0)
    score = random.uniform(size=ROWS)
    return pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01", periods=ROWS, freq="1728s"),
            "amount": random.normal(10, 2, ROWS),
            "score": score,
            "label": (random.uniform(size=ROWS) < score).astype(int),
        }
    )


def backtest(data: pd.DataFrame) -> BacktestResult:
    """Run with nine days of reference."""
    until = "2026-01-10"
    return dl.backtest(data, timestamp="time", label="label", score="score", reference_until=until, chunk="1d")


NUMBERS = np.arange(ROWS)
LEFT_OUT = {
    "lists": [["a"], ["a", "b"]] * (ROWS // 2),
    "dictionaries": [{"a": 1}, {"a": 2}] * (ROWS // 2),
    "arrays": [np.array([1, 2])] * ROWS,
    "complex": NUMBERS + 1j,
}
COMPARED = {
    "numbers of another type later": [str(n % 7) if n > 500 else n % 7 for n in NUMBERS.tolist()],
    "numbers and words": [n % 5 if n % 2 else f"v{n % 5}" for n in NUMBERS.tolist()],
    "nothing but missing": np.full(ROWS, np.nan),
    "missing from now on": np.where(NUMBERS < 470, NUMBERS % 7, np.nan),
    "infinite": np.where(NUMBERS % 50 == 0, np.inf, NUMBERS % 17 / 3),
    "intervals": pd.cut(pd.Series(NUMBERS % 97), 5),
    "bytes": [b"x", b"y", b"z"] * (ROWS // 3),
    "durations": pd.to_timedelta(NUMBERS % 97, unit="h"),
    "sparse": pd.arrays.SparseArray((NUMBERS % 20 == 0).astype(float)),
    "unused categories": pd.Categorical(["a", "b"] * (ROWS // 2), categories=["a", "b", "c"]),
}


@pytest.mark.parametrize("values", LEFT_OUT.values(), ids=LEFT_OUT)
def test_values_without_a_distribution_are_left_out_with_a_reason(values: Any) -> None:
    """The rest is monitored as without them."""
    result = backtest(frame().assign(other=pd.Series(values)))
    assert [item.value for item in result.inferred if item.what == "left out"] == ["other"]
    assert all(chunk.verdict.state is not dl.State.ERROR for chunk in result.chunks)


@pytest.mark.parametrize("values", COMPARED.values(), ids=COMPARED)
def test_unusual_columns_are_compared(values: Any) -> None:
    """Each is a feature, and no chunk has an error."""
    result = backtest(frame().assign(other=values))
    assert "other" in {column.name for column in result.spec.columns}
    assert all(chunk.verdict.state is not dl.State.ERROR for chunk in result.chunks)


def realized_of_first_chunk(data: pd.DataFrame) -> list[float | None]:
    return [result.value for result in backtest(data).chunks[0].results if result.kind == "realized"]


@cache
def labeled_with_numbers() -> list[float | None]:
    return realized_of_first_chunk(frame())


LABELS: dict[str, Change] = {
    "words": lambda label: np.where(label == 1, "Yes", "No"),
    "category": lambda label: label.astype("category"),
    "true and false": lambda label: label.astype(bool).astype(object),
}


@pytest.mark.parametrize("change", LABELS.values(), ids=LABELS)
def test_labels_in_other_words_are_the_same_labels(change: Change) -> None:
    """The first chunk has the numbers of the labels 0 and 1."""
    changed = frame().assign(label=change(frame()["label"]))
    assert realized_of_first_chunk(changed) == labeled_with_numbers()


TIMES = {
    "day first": "%d/%m/%Y %H:%M",
    "am and pm": "%m/%d/%Y %I:%M %p",
    "points": "%d.%m.%Y %H:%M",
}


@pytest.mark.parametrize("written", TIMES.values(), ids=TIMES)
def test_times_that_can_be_read_in_two_ways_are_refused(written: str) -> None:
    """A day must not become a month in some rows: the message names the first value, and how to write it."""
    data = frame()
    with pytest.raises(DriftlineError, match=r"column 'time'.*2026-01-31T08:00:00Z.*row 1 \("):
        backtest(data.assign(time=data["time"].dt.strftime(written)))


def test_columns_of_two_levels_are_refused_with_the_cure() -> None:
    """They have no single name."""
    data = frame()
    data.columns = pd.MultiIndex.from_product([["x"], data.columns])
    with pytest.raises(DriftlineError, match=r"have 2 levels; join their names"):
        backtest(data)
