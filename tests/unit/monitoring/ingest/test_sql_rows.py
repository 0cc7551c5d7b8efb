"""Rows of a user's table get the names, the ids and the instants of the model; unchanged rows are not sent again."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pymysql.constants import FIELD_TYPE

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput
from driftline.ingest.rows.layouts import flat_layout
from driftline.store.ledger import BatchKind
from driftline.store.versions.model_layout import ModelLayout
from monitoring.ingest.sql_config import SqlSourceConfig, sources_of
from monitoring.ingest.sql_rows import HandledRows, RowReader, SqlRows, columns_of, file_option

SPEC = Spec(columns=(ColumnSpec(name="minutes"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)))
LAYOUT = flat_layout(SPEC, ModelLayout.canonical(SPEC))
TYPES = {
    "id": FIELD_TYPE.LONG,
    "day": FIELD_TYPE.DATE,
    "at": FIELD_TYPE.DATETIME,
    "changed": FIELD_TYPE.TIMESTAMP,
    "prediction": FIELD_TYPE.BIT,
    "p": FIELD_TYPE.NEWDECIMAL,
    "minutes": FIELD_TYPE.DOUBLE,
    "plan": FIELD_TYPE.VAR_STRING,
    "label": FIELD_TYPE.TINY,
}
NOON = datetime.fromisoformat("2026-07-01T12:00")


def config(**changes: Any) -> SqlSourceConfig:
    fields = {
        "name": "scores", "model": "m", "table": "t", "rows": "both", "key": "id", "time": "at",
        "updated_at": "changed", "columns": {"probability_1": "p"},
    }  # fmt: skip
    (source,) = sources_of({"sources": [fields | changes]}, "f")
    return source


def frames(source: SqlSourceConfig, **values: Any) -> dict[BatchKind, pd.DataFrame]:
    row = {
        "id": 7, "day": NOON.date(), "at": NOON, "changed": NOON, "prediction": b"\x01", "p": 0.5, "minutes": 1.0,
        "plan": "a", "label": None,
    }  # fmt: skip
    reader = RowReader(source, LAYOUT, TYPES)
    return {kind: group.frame for kind, group in reader.groups([[(row | values)[name] for name in reader.names]])}


def test_columns_are_those_of_the_reference() -> None:
    columns = columns_of(config(), LAYOUT, [*TYPES])
    assert columns[BatchKind.PREDICTIONS] == {
        "event_time": "at", "prediction": "prediction", "probability_1": "p", "minutes": "minutes", "plan": "plan",
    }  # fmt: skip
    assert columns[BatchKind.LABELS] == {"label": "label", "known_at": "changed"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"key": "number"}, "there is no column number. Available: id, day"),
        ({"columns": {"minutes": "calls"}}, "there is no column calls"),
        ({"columns": {"calls": "minutes"}}, "the model has no column calls. Available: .*minutes, plan, label"),
        ({"rows": "labels", "columns": {"label": "p"}, "updated_at": "when"}, "there is no column when"),
    ],
)
def test_a_column_that_does_not_exist_is_named(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        columns_of(config(**change), LAYOUT, [*TYPES])


def test_a_table_of_labels_needs_the_column() -> None:
    with pytest.raises(
        InvalidInput, match=r"no column label with the labels; name it, as in `columns: \{label: ...\}`"
    ):
        columns_of(config(rows="labels"), LAYOUT, [name for name in TYPES if name != "label"] + ["p"])


def test_a_row_whose_label_is_missing_is_no_label() -> None:
    assert frames(config())[BatchKind.LABELS].empty
    (row,) = frames(config(), label=1)[BatchKind.LABELS].to_dict("records")
    assert row == {"id": 7, "label": 1, "known_at": NOON.replace(tzinfo=UTC)}


def test_bits_are_numbers_and_times_have_their_zone() -> None:
    def first(source: SqlSourceConfig) -> dict[str, Any]:
        return {str(name): value for name, value in frames(source)[BatchKind.PREDICTIONS].iloc[0].items()}

    assert (first(config())["prediction"], first(config())["event_time"]) == (1, NOON)
    berlin = first(config(time_zone="Europe/Berlin"))
    assert berlin["event_time"] == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_key_of_several_columns_is_one_id() -> None:
    several = config(key=["day", "id"])
    assert frames(several)[BatchKind.PREDICTIONS]["id"].tolist() == ["2026-07-01/7"]
    assert frames(several, id=None)[BatchKind.PREDICTIONS]["id"].tolist() == [None]


def rows(*values: tuple[int, float | None]) -> SqlRows:
    return SqlRows(config(), pd.DataFrame(values, columns=["id", "x"], dtype=object))


def test_rows_that_did_not_change_are_not_sent_again() -> None:
    handled = HandledRows()
    handled.add(rows((1, 0.5), (2, None)))
    assert handled.changed(rows((1, 0.5), (2, None), (3, 0.5))).frame["id"].tolist() == [3]
    handled.add(rows((1, 0.7)))
    assert handled.changed(rows((1, 0.5), (2, 0.1))).frame["id"].tolist() == [1, 2]  # one changed back


def test_the_oldest_rows_are_forgotten_first() -> None:
    handled = HandledRows(most=2)
    handled.add(rows((1, 1.0), (2, 1.0)))
    handled.add(rows((1, 1.0), (3, 1.0)))
    assert handled.changed(rows((1, 1.0), (2, 1.0), (3, 1.0))).frame["id"].tolist() == [2]


def test_halves_are_all_rows() -> None:
    first, second = rows((1, 1.0), (2, 2.0), (3, 3.0)).halves()
    assert (first.frame["id"].tolist(), second.frame["id"].tolist()) == ([1], [2, 3])


def test_an_option_is_a_line_of_the_file() -> None:
    assert file_option("na_values", ["ERR"]) == "na_values: [ERR]"
