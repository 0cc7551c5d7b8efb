"""Times far from all others are rejected with their count, distance and first row."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.input.values.instants import as_microseconds
from driftline.backtesting.input.values.outlying_times import reject_outlying
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL

BERLIN = ZoneInfo("Europe/Berlin")


def check(moments: list[datetime], days: int = 60, rows: int = 3_000, start: str = "2025-01-01") -> None:
    """Check these moments together with `rows` evenly spaced ones, shuffled."""
    times = pd.date_range(start, periods=rows, freq=pd.Timedelta(days=days) / rows).to_numpy("datetime64[us]")
    values = np.append(times.view(np.int64), [as_microseconds(moment) for moment in moments])
    order = np.random.default_rng(1).permutation(len(values))
    reject_outlying(values[order], np.arange(1, len(values) + 1)[order], "ts", BERLIN)


@pytest.mark.parametrize("zero", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=BERLIN)])
@pytest.mark.parametrize("count", [1, 30, 1_000])
def test_missing_times_stored_as_1970_are_rejected(zero: datetime, count: int) -> None:
    fault = rf"'ts' has (1970|1969)-.* in {count:,} rows?, 55 years before all others; .* row 3,001\."
    with pytest.raises(InvalidInput, match=fault):
        check([zero] * count)
    with pytest.raises(InvalidInput, match="was probably stored as 0; correct these rows"):
        check([zero] * count, days=3_650)


@pytest.mark.parametrize(
    ("moment", "place"),
    [
        (datetime(2052, 1, 5, tzinfo=UTC), "27 years after"),
        (datetime(1900, 1, 1, tzinfo=UTC), "125 years before"),
        (datetime(2199, 1, 1, tzinfo=UTC), "174 years after"),
        (datetime(2023, 1, 1, tzinfo=UTC), "2 years before"),
    ],
)
def test_a_few_times_far_from_the_others_are_rejected(moment: datetime, place: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{moment.isoformat()[:19]}.* in 3 rows, {place} all others.* row 3,001\."):
        check([moment] * 3)


@pytest.mark.parametrize(
    "accept",
    [
        lambda: check([]),
        lambda: check([datetime(2025, 9, 1, tzinfo=UTC)]),
        lambda: check([datetime(2023, 1, 1, tzinfo=UTC)] * 200),
        lambda: check([datetime(2023, 1, 1, tzinfo=UTC)], days=1_000),
        lambda: check([datetime(1970, 1, 1, tzinfo=UTC)], start="1970-01-02"),
        lambda: check([datetime(1970, 1, 1, tzinfo=UTC)], rows=10),
    ],
)
def test_plausible_times_are_accepted(accept: Callable[[], None]) -> None:
    accept()


@pytest.mark.parametrize("until", [UNTIL, None])
@pytest.mark.parametrize("kind", ["frame", "csv", "parquet", "epoch"])
def test_a_backtest_rejects_outlying_times_of_every_source(
    kind: str, until: str | None, world: pd.DataFrame, tmp_path: Path
) -> None:
    rows = world.copy()
    rows.loc[::400, "when"] = pd.Timestamp(0)
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.to_parquet(tmp_path / "a.parquet")
    seconds = rows.assign(when=rows["when"].astype("datetime64[s]").astype(np.int64))
    sources: dict[str, Any] = {
        "frame": rows,
        "csv": tmp_path / "a.csv",
        "parquet": tmp_path / "a.parquet",
        "epoch": seconds,
    }
    with pytest.raises(InvalidInput, match=r"'when' has 1970-01-01T00:00:00\+00:00 in 10 rows, 56 years .* row 1\."):
        backtest(sources[kind], timestamp="when", label="churned", score="score", reference_until=until)
