"""An archive file has the rows that were written to it, in row groups of which readers read only those they need."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store.rows.archived import archive_file
from driftline.store.rows.archived.archive_file import (
    ArchiveWriter,
    BatchSpan,
    DamagedArchive,
    read_column,
    read_spans,
    require_same,
)

SPEC = Spec(columns=(ColumnSpec(name="a.b"), ColumnSpec(name="a"), ColumnSpec(name="c d", kind=ColumnKind.CATEGORICAL)))
SCHEMA = archive_file.schema_of(SPEC)


def rows(batch: int, count: int) -> pa.Table:
    """Return the rows of a batch as the archive stores them."""
    instant = pd.Timestamp("2026-02-01", tz="UTC")
    columns = {
        "batch_number": [batch] * count,
        "batch_position": range(count),
        "event_time": [instant] * count,
        "id": [f"{batch}/{n}" for n in range(count)],
        "model_version": [1] * count,
        "scored_at": [instant] * count,
        "prediction": [n % 2 for n in range(count)],
        "probability_1": [n / count for n in range(count)],
        "a.b": [float(batch)] * count,
        "a": [-1.0] * count,
        "c d": ["é" if n % 3 else None for n in range(count)],
        "label": [None] * count,
        "label_known_at": [None] * count,
    }
    return pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()})


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ArchiveWriter]:
    """Batches 1 to 9 of ten rows, in row groups of two batches."""
    monkeypatch.setattr(archive_file, "VALUES_PER_GROUP", 20 * len(SCHEMA))
    path = tmp_path / "rows.parquet"
    with ArchiveWriter(path, SCHEMA) as writer:
        for batch in range(1, 10):
            writer.write(rows(batch, 10))
    return path, writer


def test_spans_are_read_from_the_groups_that_have_them(written: tuple[Path, ArchiveWriter]) -> None:
    path, writer = written
    assert (writer.rows, len(writer.hashes)) == (90, 5)
    with path.open("rb") as file:
        table = read_spans(
            file, [BatchSpan(2, 8, 12), BatchSpan(7, 0, 1), BatchSpan(40, 0, 9)], ["a.b", "c d", "missing"]
        )
    assert table.schema.names == ["batch_number", "batch_position", "a.b", "c d"]
    assert table.to_pydict() == {
        "batch_number": [2, 2, 7],
        "batch_position": [8, 9, 0],
        "a.b": [2.0, 2.0, 7.0],
        "c d": ["é", None, None],
    }


def test_one_column_is_read_by_its_whole_name(written: tuple[Path, ArchiveWriter]) -> None:
    with written[0].open("rb") as file:
        tables = list(read_column(file, "a"))
    assert {value for table in tables for value in table.column("a").to_pylist()} == {-1.0}
    assert tables[0].schema.names == ["batch_number", "batch_position", "a"]
    with written[0].open("rb") as file:
        assert list(read_column(file, "b")) == []
    assert archive_file.positions_with(tables[0], "a", -1.0).num_rows == 20
    assert archive_file.positions_with(tables[0], "a", "-1.0").num_rows == 0


def test_a_file_with_other_rows_is_refused(written: tuple[Path, ArchiveWriter], tmp_path: Path) -> None:
    path, writer = written
    require_same(path, SCHEMA, writer.hashes, writer.rows)
    with ArchiveWriter(tmp_path / "other.parquet", SCHEMA) as other:
        other.write(rows(1, 10))
    for name, hashes, count in (
        ("rows.parquet", [*writer.hashes[1:], writer.hashes[0]], 90),
        ("rows.parquet", writer.hashes, 91),
        ("other.parquet", writer.hashes, 90),
    ):
        with pytest.raises(DamagedArchive):
            require_same(tmp_path / name, SCHEMA, hashes, count)


def test_a_file_without_rows_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    with ArchiveWriter(path, SCHEMA) as writer:
        writer.write(rows(1, 0))
    require_same(path, SCHEMA, writer.hashes, 0)
    with path.open("rb") as file:
        assert read_spans(file, [BatchSpan(1, 0, 9)], None).num_rows == 0
