"""Parquet files: types are kept, and a column that cannot be read is named."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.backtesting.input.sources import sources
from driftline.backtesting.input.sources.sources import ParquetSource
from driftline.errors import InvalidInput

UNKNOWN = "Nowhere/Land"
LARGEST = pytest.mark.parametrize("largest", [0, 10**9])


def read(path: Path, largest: int = 10**9) -> pd.DataFrame:
    source = ParquetSource.of(path, largest)
    return pd.concat(list(source.blocks(source.columns)), ignore_index=True)


def write(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_integers_with_missing_values_stay_integers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ids = pd.array([2**60, 2**60 + 1, None], dtype="Int64")
    pd.DataFrame({"id": ids, "u": pd.array([7, None, 9], dtype="UInt8"), "x": [1.0, 2.0, 3.0]}).to_parquet(path)
    (frame,) = ParquetSource.of(path).blocks(("x", "id", "u"))
    assert list(frame.columns) == ["x", "id", "u"]
    assert frame["id"].tolist()[:2] == [2**60, 2**60 + 1]
    assert frame.dtypes.map(str).tolist() == ["float64", "Int64", "UInt8"]


@LARGEST
@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"column_indexes"', b'"column_indexes\x01'), (b'"pandas_version"', b'"pandas_\xe0ersion"')],
    ids=["no JSON", "no UTF-8"],
)
def test_the_metadata_of_pandas_is_ignored(old: bytes, new: bytes, largest: int, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": [1, 2]}).to_parquet(path)
    content = path.read_bytes()
    position = content.rindex(old)
    path.write_bytes(content[:position] + new + content[position + len(old) :])
    assert read(path, largest)["a"].tolist() == [1, 2]


@LARGEST
@pytest.mark.parametrize("zone", [UNKNOWN, "+25:99", "Europe/Paris", "UTC"])
def test_an_instant_is_the_same_in_every_time_zone(zone: str, largest: int, tmp_path: Path) -> None:
    instants = pa.array([1_767_225_600, None], pa.timestamp("s", zone))
    frame = read(write(tmp_path / "a.parquet", a=instants, b=["x", "y"]), largest)
    assert frame["a"][0] == pd.Timestamp("2026-01-01", tz="UTC")
    assert frame["a"].isna().tolist() == [False, True]


ZONED = pa.timestamp("us", UNKNOWN)
VALUES = {
    "struct": pa.array([{"x": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}], pa.struct([("x", ZONED)])),
    "map": pa.array([[("x", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))]], pa.map_(pa.string(), ZONED)),
    "time": pa.array([2**60]).view(pa.time64("us")),
    "text": pa.array([b"\xff"]).view(pa.string()),
}


@LARGEST
@pytest.mark.parametrize("kind", VALUES)
def test_values_that_pandas_cannot_hold_are_named_by_column(kind: str, largest: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", fine=[1], odd=VALUES[kind])
    with pytest.raises(InvalidInput, match=r"a.parquet: column 'odd' of type .* cannot be read .* name the features"):
        read(path, largest)
    (frame,) = ParquetSource.of(path, largest).blocks(("fine",))
    assert frame["fine"].tolist() == [1]


def test_repeated_column_names_are_rejected(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "a.parquet")
    with pytest.raises(InvalidInput, match="must be distinct; repeated: a"):
        ParquetSource.of(tmp_path / "a.parquet")


def test_fewer_rows_of_a_wide_file_are_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_WHOLE", 8_000)
    path = write(tmp_path / "a.parquet", **{f"c{number}": range(50) for number in range(100)})
    source = ParquetSource.of(path, largest=8_000)
    assert {len(block) for block in source.blocks(source.columns)} == {10}
    assert {len(block) for block in source.blocks(("c1",))} == {50}


@LARGEST
def test_a_damaged_page_is_reported(largest: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", a=pa.array(range(10_000)))
    content = bytearray(path.read_bytes())
    content[8:60] = bytes(52)
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"cannot be read as Parquet .*; it is damaged: write it again"):
        read(path, largest)


def test_a_file_that_is_not_parquet_is_rejected_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a,b\n")
    with pytest.raises(InvalidInput, match=r"as Parquet .* damaged or of another format: write it again"):
        ParquetSource.of(tmp_path / "a.parquet")
