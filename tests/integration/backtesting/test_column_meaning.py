"""The kind of a column and its values are inferred independently of how a frame or a file stores them."""

import json
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

from driftline.backtesting.backtest import backtest
from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources import csv_source, sources
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL, Invoke

ROLES: dict[str, Any] = {"timestamp": "when", "label": "churned", "score": "score", "id": "ref"}
ALL: dict[str, Any] = {**ROLES, "reference_until": UNTIL, "chunk": "1d"}
OPTIONS = ("--timestamp", "when", "--label", "churned", "--score", "score", "--id", "ref", "--chunk", "1d")
LAST = 19
"""The day from which on, in the world, usage is doubled, is before the last chunk."""


def notes(result: BacktestResult, subject: str) -> dict[str, str]:
    return {note.value: note.rule for note in result.inferred if note.what == subject}


def value(result: BacktestResult, subject: str, method: str, place: int = -1) -> Any:
    return next(r.value for r in result.chunks[place].results if (r.subject, r.method) == (subject, method))


def kolmogorov_smirnov(frame: pd.DataFrame, column: str) -> float:
    """Return the distance between the last day and the reference, computed by scipy."""
    last = frame["when"] >= frame["when"].max().floor("D")
    return float(ks_2samp(frame.loc[frame["when"] < UNTIL, column], frame.loc[last, column]).statistic)


STORED: dict[str, Callable[["pd.Series[float]"], Any]] = {
    "objects": lambda usage: usage.astype(object),
    "decimals": lambda usage: usage.map(lambda number: Decimal(str(number))),
    "arrow decimals": lambda usage: usage.round(3).astype(pd.ArrowDtype(pa.decimal128(12, 3))),
    "arrow floats": lambda usage: usage.astype("double[pyarrow]"),
    "Float64": lambda usage: usage.astype("Float64"),
    "durations": lambda usage: pd.to_timedelta(usage, unit="s"),
    "arrow durations": lambda usage: pd.to_timedelta(usage, unit="s").astype("duration[ns][pyarrow]"),
    "timedeltas": lambda usage: pd.Series([timedelta(seconds=number) for number in usage], dtype=object),
    "beyond 64 bits": lambda usage: pd.Series([int(number * 1e6) * 10**15 for number in usage], dtype=object),
    "text": lambda usage: usage.map(str),
    "arrow text": lambda usage: usage.map(str).astype("string[pyarrow]"),
    "text with blanks": lambda usage: usage.map(lambda number: f" {number} "),
    "text and numbers": lambda usage: pd.Series([str(n) if i % 2 else n for i, n in enumerate(usage)], dtype=object),
    "percents": lambda usage: usage.map(lambda number: f"{number} %"),
    "thousands": lambda usage: usage.map(lambda number: f"${number * 1e6:,.2f}"),
    "blanks": lambda usage: usage.map(lambda number: f"{number * 1e6:,.2f}".replace(",", " ")),
    "blanks and commas": lambda usage: usage.map(lambda n: f"{n * 1e6:,.2f}".replace(",", "\u00a0").replace(".", ",")),
    "points and commas": lambda usage: usage.map(
        lambda number: f"{number * 1e6:,.2f} €".translate(str.maketrans(",.", ".,"))
    ),
    "accounting": lambda usage: usage.map(lambda n: f"({9 - n:,.6f})" if n < 9 else f"{n - 9:,.6f}"),
    "minus signs": lambda usage: usage.map(lambda number: f"{number - 9}".replace("-", "\u2212")),
    "decimal commas": lambda usage: usage.map(lambda number: str(number).replace(".", ",")),
    "durations as text": lambda usage: pd.to_timedelta(usage, unit="s").map(str),
    "sparse": lambda usage: usage.astype(pd.SparseDtype("float64")),
    "bytes": lambda usage: usage.map(lambda number: str(number).encode()),
}  # fmt: skip


@pytest.mark.parametrize("stored", STORED)
def test_numbers_are_recognized_in_every_storage_type(stored: str, world: pd.DataFrame) -> None:
    result = backtest(world.assign(usage=STORED[stored](world["usage"])), **ALL)
    assert "usage" in notes(result, "continuous").popitem()[0].split(", ")
    assert value(result, "usage", "kolmogorov_smirnov") == pytest.approx(kolmogorov_smirnov(world, "usage"), abs=2e-3)
    assert not notes(result, "not a number")


@pytest.mark.parametrize("features", [None, ["usage", "plan"]])
def test_a_stray_word_is_named_and_counts_as_missing(features: list[str] | None, world: pd.DataFrame) -> None:
    rows = world.assign(usage=world["usage"].map(str))
    rows.loc[len(rows) - 5, "usage"] = "ERR"
    rows.loc[len(rows) - 3, "usage"] = "ERR"
    result = backtest(rows, **ALL, features=features)
    ((note, rule),) = notes(result, "not a number").items()
    assert note == "column 'usage' has 2 values that are not numbers (first 'ERR', row 3,996)"
    assert rule.endswith("clean it, or pass categorical=['usage']")
    assert value(result, "usage", "missing_values") == 2 / 200
    assert value(result, "usage", "kolmogorov_smirnov") == pytest.approx(kolmogorov_smirnov(world, "usage"), abs=1e-2)


def test_a_stray_word_of_a_file_is_named_by_the_command(world: pd.DataFrame, tmp_path: Path, invoke: Invoke) -> None:
    rows = world.astype({"usage": object})
    rows.loc[16, "usage"] = "ERR"
    rows.loc[::50, "usage"] = r"\N"
    rows.to_csv(tmp_path / "churn.csv", index=False)
    result = invoke(tmp_path / "churn.csv", *OPTIONS, "--reference-until", UNTIL)
    assert "column 'usage' has 1 value that is not a number ('ERR', row 17)" in result.stderr
    assert "or pass --categorical usage" in result.stderr


def test_the_null_of_a_database_is_missing(world: pd.DataFrame, tmp_path: Path) -> None:
    rows = world.astype({"usage": object})
    rows.loc[::50, "usage"] = r"\N"
    rows.to_csv(tmp_path / "churn.csv", index=False)
    for data in (rows, tmp_path / "churn.csv"):
        result = backtest(data, **ALL)
        assert (value(result, "usage", "missing_values"), notes(result, "not a number")) == (0.02, {})


def test_text_with_some_numbers_names_the_other_values(world: pd.DataFrame) -> None:
    codes = pd.Series([f"{n:05}" if n % 3 else f"A{n}" for n in range(1, len(world) + 1)])
    unpadded = pd.Series([str(n + 10_000) if n % 3 else f"A{n}" for n in range(1, len(world) + 1)])
    result = backtest(world.assign(code=codes, unpadded=unpadded), **ALL)
    reasons = notes(result, "left out")
    assert reasons["unpadded"].startswith(
        "text with fewer than 20 rows per value in the reference is not compared, and as"
    )
    assert "has 800 values that are not numbers (first 'A3', row 3); features=... can include it" in reasons["unpadded"]
    assert set(reasons) == {"code", "unpadded"}


@pytest.mark.parametrize("text", ["{:.3f} kg", "<{:.3f}", "{:.3f}/s"])
def test_numbers_with_a_unit_are_left_out_with_an_example(text: str, world: pd.DataFrame) -> None:
    result = backtest(world.assign(usage=world["usage"].map(text.format)), **ALL)
    example = text.format(world["usage"][0])
    assert f"has 2,400 values that are not numbers (first '{example}', row 1)" in notes(result, "left out")["usage"]


def test_a_continuous_column_must_hold_numbers(world: pd.DataFrame) -> None:
    spec = {"columns": ["usage", {"name": "plan", "kind": "continuous"}]}
    with pytest.raises(InvalidInput, match=r"'plan' has 2,400 values that are not numbers .*categorical=\['plan'\]"):
        backtest(world, **ALL, spec=spec)


@pytest.mark.parametrize("role", ["score", "label"])
def test_a_stray_word_in_an_output_is_rejected_with_its_row(role: str, world: pd.DataFrame) -> None:
    rows = world.sample(frac=1, random_state=1).reset_index(drop=True).assign(price=world["usage"] * 3)
    column = "score" if role == "score" else "price"
    rows = rows.astype({column: object})
    rows.loc[[21, 17], column] = ["not known yet", "n/a"]
    options = {**ALL} if role == "score" else {**ALL, "label": "price", "score": None, "prediction": "age"}
    fault = rf"'{column}' has 1 value that is not a number \('not known yet', row 22\).*na_values=\['not known yet'\]"
    with pytest.raises(InvalidInput, match=fault):
        backtest(rows, **options)
    assert backtest(rows, **options, na_values="not known yet").chunks


MOVING: dict[str, Callable[[pd.DataFrame], Any]] = {
    "counter": lambda frame: range(len(frame)),
    "late counter": lambda frame: np.arange(len(frame)) + np.random.default_rng(0).integers(0, 9, len(frame)),
    "countdown": lambda frame: 1e6 - np.arange(len(frame)),
    "counter in text": lambda frame: [str(number + 1) for number in range(len(frame))],
    "date": lambda frame: frame["when"].dt.date,
    "datetime": lambda frame: pd.Series([moment.to_pydatetime() for moment in frame["when"]], dtype=object),
    "zoned": lambda frame: frame["when"].dt.tz_localize("UTC").astype(object),
    "period": lambda frame: frame["when"].dt.to_period("D"),
    "periods": lambda frame: frame["when"].dt.to_period("D").astype(object),
    "arrow": lambda frame: frame["when"].astype("timestamp[us][pyarrow]"),
    "arrow date": lambda frame: frame["when"].dt.date.astype(pd.ArrowDtype(pa.date32())),
    "category": lambda frame: frame["when"].dt.floor("D").astype("category"),
    "text": lambda frame: frame["when"].dt.strftime("%Y-%m-%d"),
    "month": lambda frame: frame["when"].dt.strftime("%Y-%m"),
    "day first": lambda frame: frame["when"].dt.strftime("%d/%m/%Y"),
    "dots": lambda frame: frame["when"].dt.strftime("%d.%m.%Y %H:%M"),
    "words": lambda frame: frame["when"].dt.strftime("%d %b %Y"),
    "digits": lambda frame: frame["when"].dt.strftime("%Y%m%d").astype(int),
    "epoch": lambda frame: frame["when"].astype("datetime64[s]").astype(np.int64),
    "day of the year": lambda frame: frame["when"].dt.day_of_year,
}  # fmt: skip


@pytest.mark.parametrize("kind", MOVING)
def test_a_column_that_only_advances_is_left_out(kind: str, world: pd.DataFrame) -> None:
    result = backtest(world.assign(moving=MOVING[kind](world)), **ALL)
    reason = notes(result, "left out")["moving"]
    grows = kind.startswith(("counter", "late", "epoch", "day of"))
    assert reason.startswith("it only grows" if grows else "it only falls" if kind == "countdown" else "dates ")


def test_columns_that_return_to_earlier_values_are_features(world: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    cyclic: dict[str, Any] = {
        "hour": world["when"].dt.hour,
        "weekday": world["when"].dt.day_of_week,
        "bucket": rng.choice(["10-20", "1/2", "2-3", "v1.2.25"], len(world)),
        "id_of_shop": rng.integers(1, 10**6, len(world)),
        "constant": 7.5,
        "at": [time(int(hour), 30) for hour in rng.integers(0, 24, len(world))],
        "step": np.where(world["when"] < "2026-01-07", 0.16, 0.19),
    }
    result = backtest(world.assign(**cyclic), **ALL)
    assert notes(result, "left out") == {}


def test_a_requested_column_is_compared_even_if_it_advances(world: pd.DataFrame) -> None:
    rows = world.assign(day=world["when"].dt.day_of_year, code=[f"{n % 900:05}" for n in range(len(world))])
    assert "day" in backtest(rows, **ALL, features=["usage", "day"]).chunks[-2].verdict.drifted
    result = backtest(rows, **ALL, categorical=["code"])
    assert "code" not in notes(result, "left out")


@pytest.mark.parametrize("sampled", [False, True])
def test_an_index_without_a_name_is_left_out_under_a_name(sampled: bool, world: pd.DataFrame, tmp_path: Path) -> None:
    rows = world.sample(frac=1, random_state=2) if sampled else world[world.index % 5 != 0]
    rows.to_csv(tmp_path / "a.csv")
    rows.to_parquet(tmp_path / "a.parquet")
    frames: dict[str, Any] = {
        "unnamed column 1": tmp_path / "a.csv",
        "__index_level_0__": tmp_path / "a.parquet",
        "Unnamed: 0": pd.read_csv(tmp_path / "a.csv"),
        "unnamed column 8": rows.assign(**{"": rows.index}),
    }
    results = {name: backtest(data, **ALL, name="a") for name, data in frames.items()}
    for name, result in results.items():
        assert set(notes(result, "left out")) == {name}
    assert len({json.dumps([chunk.verdict.reasons for chunk in result.chunks]) for result in results.values()}) == 1


def test_an_index_with_a_name_is_a_column(world: pd.DataFrame, tmp_path: Path) -> None:
    indexed = world.set_index(["when", "plan"])
    indexed.to_parquet(tmp_path / "a.parquet")
    indexed.to_csv(tmp_path / "a.csv")
    results = [backtest(data, **ALL, name="a") for data in (indexed, tmp_path / "a.parquet", tmp_path / "a.csv", world)]
    assert len({result.to_json().partition('"chunks": [')[2].count('"plan"') for result in results}) == 1
    assert [value(result, "plan", "jensen_shannon") for result in results[1:]] == [
        value(results[0], "plan", "jensen_shannon")
    ] * 3


def test_na_is_a_category_unless_na_values_lists_it(world: pd.DataFrame, tmp_path: Path) -> None:
    rows = world.assign(country=np.where(np.arange(len(world)) % 2 == 0, "NA", "ZA"))
    rows.loc[rows["when"] >= UNTIL, "country"] = "ZA"
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.to_parquet(tmp_path / "a.parquet")
    for data in (rows, tmp_path / "a.csv", tmp_path / "a.parquet"):
        for categorical in (None, ["country"]):
            result = backtest(data, **ALL, categorical=categorical)
            assert value(result, "country", "missing_values") == 0
            # the square root of the Jensen-Shannon divergence in bits of (1/2, 1/2) and (0, 1)
            assert value(result, "country", "jensen_shannon") == pytest.approx(0.3112781**0.5, abs=1e-6)
            assert "na_values=['NA']" in notes(result, "category")["NA in country"]
        missing = backtest(data, **ALL, na_values=["NA"])
        assert value(missing, "country", "jensen_shannon") == 0
        assert not notes(missing, "category")


@pytest.mark.parametrize("word", ["", "NA", "NaN", "None", r"\N", "not known yet", -1])
def test_words_for_a_missing_label_are_missing(word: Any, world: pd.DataFrame, tmp_path: Path) -> None:
    late = world["when"] >= "2026-01-14"
    rows = world.astype({"churned": object})
    rows.loc[late, "churned"] = word
    rows.to_csv(tmp_path / "a.csv", index=False)
    options = {"na_values": word} if word in ("not known yet", -1) else {}
    for data in (rows, tmp_path / "a.csv"):
        assert [chunk.labelled for chunk in backtest(data, **ALL, **options).chunks] == [200] + [0] * 7


def test_a_declared_class_is_not_a_missing_value(world: pd.DataFrame, tmp_path: Path) -> None:
    rows = world.assign(tier=np.where(world["churned"] == 1, "None", "gold"), predicted="gold", p=1 - world["score"])
    rows.to_csv(tmp_path / "a.csv", index=False)
    options = {**ALL, "label": "tier", "prediction": "predicted", "score": {"None": "score", "gold": "p"}}
    for data in (rows, tmp_path / "a.csv"):
        assert [chunk.labelled for chunk in backtest(data, **options).chunks] == [200] * 8


def test_a_number_in_na_values_is_missing(world: pd.DataFrame, tmp_path: Path) -> None:
    rows = world.copy()
    rows.loc[::10, "age"] = -999
    rows.loc[::20, "usage"] = -999.0
    rows.to_csv(tmp_path / "a.csv", index=False)
    for data in (rows, tmp_path / "a.csv"):
        result = backtest(data, **ALL, na_values=[-999, "unknown"])
        assert (value(result, "age", "missing_values"), value(result, "usage", "missing_values")) == (0.1, 0.05)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("separator", [";", "\t", "|", "\x01"])
def test_the_separator_of_a_file_is_recognized(
    separator: str, decimal: str, world: pd.DataFrame, tmp_path: Path, invoke: Invoke
) -> None:
    world.to_csv(tmp_path / "a.csv", index=False, sep=separator, decimal=decimal)
    result = backtest(tmp_path / "a.csv", **ALL, name="a")
    assert value(result, "usage", "kolmogorov_smirnov") == pytest.approx(kolmogorov_smirnov(world, "usage"), rel=1e-9)
    assert len(notes(result, "separator")) == 1
    assert bool(notes(result, "decimals")) == (decimal == ",")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (" when,usage\n2026-01-01,1\n", "available: ' when', usage"),
        ("when\u200b,usage\n2026-01-01,1\n", r"available: 'when\u200b', usage"),
        ("wen;usage\n2026-01-01;1\n", "available: wen, usage"),
        (
            "when:usage\n2026-01-01:1\n",
            "available: when:usage; is that one column? Separate fields by commas",
        ),
    ],
)
def test_a_name_with_invisible_characters_is_quoted(lines: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(lines)
    with pytest.raises(InvalidInput) as caught:
        backtest(tmp_path / "a.csv", timestamp="when", reference_until=UNTIL)
    assert message in str(caught.value)


def make_mixture(world: pd.DataFrame) -> pd.DataFrame:
    """Return rows with a column of each kind that a CSV file, a Parquet file and a frame can all hold."""
    rng = np.random.default_rng(8)
    size = len(world)
    gaps = rng.random(size) < 0.1
    columns: dict[str, Any] = {
        "sparse_whole": pd.array(np.where(gaps, 0, rng.integers(0, 500, size)), dtype="Int64"),
        "sparse_float": np.where(gaps, np.nan, rng.normal(size=size)),
        "flag": rng.random(size) < 0.3,
        "sparse_flag": pd.Series(rng.random(size) < 0.3, dtype=object).mask(gaps, None),
        "few": rng.integers(0, 4, size),
        "word": pd.Series(rng.choice(["a", "NA", "None", "b c"], size), dtype=object).mask(gaps, None),
        "numeric_text": [f"{number:.3f}" for number in rng.normal(size=size)],
        "dirty": ["?" if number > 2.5 else f"{number:.3f}" for number in rng.normal(size=size)],
        "codes": [f"{number:04}" for number in rng.integers(0, 40, size)],
        "decimal": pd.Series([Decimal(int(number)) / 8 for number in rng.integers(0, 900, size)], dtype=object),
        "large": pd.Series([int(number) * 10**20 for number in rng.integers(1, 900, size)], dtype=object),
        "duration": pd.to_timedelta(rng.integers(0, 100_000, size), unit="s"),
        "at": [time(int(hour), 30) for hour in rng.integers(0, 24, size)],
        "percent": [f"{number} %" for number in rng.integers(0, 100, size)],
        "day": world["when"].dt.date,
        "month": world["when"].dt.strftime("%Y-%m"),
        "row": np.arange(size),
    }
    return world.assign(**columns)


def facts(result: BacktestResult) -> Any:
    """Return columns, kinds, notes and numbers of a result."""
    inferred = sorted(
        (note.what, ", ".join(sorted(note.value.split(", "))), note.rule)
        for note in result.inferred
        if (note.what, note.value) != ("numbers", "duration")  # text in CSV only
    )
    numbers = {
        (place, r.subject, r.kind.value, str(r.method)): (r.value, str(r.state), r.rows)
        for place, chunk in enumerate(result.chunks)
        for r in chunk.results
    }
    return inferred, numbers, [(chunk.start, chunk.rows, chunk.labelled) for chunk in result.chunks]


@pytest.mark.parametrize("shuffled", [False, True])
def test_all_sources_have_the_same_results(
    shuffled: bool, world: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BLOCK_ROWS", 1_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 150_000)
    rows = make_mixture(world)
    rows = rows.sample(frac=1, random_state=3, ignore_index=True) if shuffled else rows
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.astype({"large": str}).to_parquet(tmp_path / "a.parquet")
    options = Request("when", "churned", None, (ScoreColumn("score"),), "ref", reference_until=UNTIL, chunk="1d")
    request = read_request(options, tuple(rows.columns))
    sources_by_name: dict[str, sources.TableSource] = {
        "frame": sources.FrameSource(rows),
        "arrow frame": sources.FrameSource(rows.astype({"large": str}).convert_dtypes(dtype_backend="pyarrow")),
        "csv": csv_source.CsvSource.of(tmp_path / "a.csv"),
        "csv in blocks": csv_source.CsvSource.of(tmp_path / "a.csv", largest=0),
        "parquet": sources.ParquetSource.of(tmp_path / "a.parquet"),
        "parquet in blocks": sources.ParquetSource.of(tmp_path / "a.parquet", largest=0),
    }
    expected = facts(run(sources_by_name.pop("frame"), request))
    kinds = {subject: text for subject, text, _ in expected[0]}
    assert kinds["categorical"] == "codes, few, flag, plan, sparse_flag, word"
    assert {name for subject, name, _ in expected[0] if subject == "left out"} == {"day", "month", "row"}
    for name, source in sources_by_name.items():
        inferred, numbers, chunks = facts(run(source, request))
        assert (set(inferred) ^ set(expected[0]), chunks) == (set(), expected[2]), name
        assert numbers.keys() == expected[1].keys()
        for key, (number, state, count) in numbers.items():
            right = expected[1][key]
            assert (state, count) == right[1:], (name, key)
            assert number == pytest.approx(right[0], rel=1e-9, abs=1e-12), (name, key)
