"""What becomes of a row does not depend on the rows beside it."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import MOST_ROWS, InvalidInput
from driftline.ingest.rows.content import Content, Format
from driftline.ingest.rows.json_rows import json_rows
from driftline.ingest.rows.label_rows import label_columns, label_rows
from driftline.ingest.rows.layouts import LABEL_FIELDS, PREDICTION_FIELDS, nested_layout
from driftline.ingest.rows.prediction_rows import columns_read, prediction_rows
from driftline.store.versions.model_layout import ModelLayout

NOW = datetime(2026, 2, 1, tzinfo=UTC)
COLUMNS = (ColumnSpec(name="amount"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL))
BINARY = Spec(columns=COLUMNS)
MULTICLASS = Spec(problem=Problem.MULTICLASS, classes=("cat", "dog"), columns=COLUMNS, metrics=())
REGRESSION = Spec(problem=Problem.REGRESSION, columns=COLUMNS, metrics=())
Row = dict[str, Any]


def content(rows: Sequence[Row]) -> Content:
    body = json.dumps(rows).encode()
    return Content(body, Format.JSON, len(body))


def stored(spec: Spec, rows: Sequence[Row]) -> list[Row]:
    layout = nested_layout(spec, ModelLayout.canonical(spec))
    sent = json_rows(content(rows), PREDICTION_FIELDS, columns_read(layout))
    lists: list[Row] = prediction_rows(sent, layout, 1, NOW, times_needed=True).table.to_pylist()
    return lists


def labelled(rows: Sequence[Row]) -> list[Row]:
    layout = nested_layout(BINARY, ModelLayout.canonical(BINARY))
    sent = json_rows(content(rows), LABEL_FIELDS, label_columns(layout))
    frame = label_rows(sent.frame, layout, NOW).frame
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def answers(work: Callable[[Sequence[Row]], list[Row]], rows: Sequence[Row]) -> tuple[list[Row] | None, set[int]]:
    """What is stored of rows, None where they are refused, and the rows that the refusal lists."""
    try:
        return work(rows), set()
    except InvalidInput as error:
        return None, {fault.row for fault in error.rows}


def require_same_answers(work: Callable[[Sequence[Row]], list[Row]], rows: Sequence[Row]) -> None:
    alone = [answers(work, [row])[0] for row in rows]
    refused = {number for number, answer in enumerate(alone, 1) if answer is None}
    together, listed = answers(work, rows)
    if refused:
        assert together is None
        assert listed == refused or len(refused) == len(rows)  # where all lack a column, the column is named
    else:
        assert together == [row for answer in alone if answer for row in answer]


def fields(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    """Objects of which each field has a value, or is null, or is not there."""
    return st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in values.items()})


features = fields(amount=st.sampled_from([1.5, 2, "7", "ERR"]), plan=st.sampled_from(["a", 3]))
outputs = {
    "binary": fields(prediction=st.sampled_from([0, 1]), score=st.sampled_from([0.2, 0.5, 0.9, 7])),
    "multiclass": fields(
        prediction=st.sampled_from(["cat", "dog", "bird"]),
        scores=fields(cat=st.sampled_from([0.25, 0.75]), dog=st.sampled_from([0.25, 0.75])),
    ),
    "regression": fields(prediction=st.sampled_from([1, 2.5, "many"])),
}
SPECS = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}


@pytest.mark.parametrize("problem", SPECS)
@given(data=st.data())
def test_a_prediction_is_stored_or_refused_as_it_is_alone(problem: str, data: st.DataObject) -> None:
    row = st.builds(lambda some, of: some | {"features": of}, outputs[problem], features)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    sent = [{"id": str(number), "at": "2026-01-01"} | row for number, row in enumerate(rows)]
    require_same_answers(lambda some: stored(SPECS[problem], some), sent)


@given(
    st.lists(
        fields(label=st.sampled_from([0, 1, 2]), known_at=st.sampled_from(["2026-01-31T01:00:00Z", "2027-01-01"])),
        min_size=1,
        max_size=6,
    )
)
def test_a_label_is_stored_or_refused_as_it_is_alone(rows: list[Row]) -> None:
    require_same_answers(labelled, [{"id": str(number)} | row for number, row in enumerate(rows)])


@pytest.mark.parametrize("instants", [[1769900000, None], [1769900000000, None], ["2026-01-31 12:00", None]])
def test_a_label_without_an_instant_is_known_from_now_on(instants: list[Any]) -> None:
    rows = labelled([{"id": str(n), "label": 1, "known_at": at} for n, at in enumerate(instants)])
    assert rows[0]["known_at"] < rows[1]["known_at"] == pd.Timestamp(NOW)


def test_labels_are_the_same_content_whenever_they_are_sent() -> None:
    layout = nested_layout(BINARY, ModelLayout.canonical(BINARY))
    frame = pd.DataFrame({"id": ["a", "b"], "label": [1, 0], "known_at": ["2026-01-01", None]})
    first, later = (label_rows(frame, layout, at).content_hash for at in (NOW, NOW.replace(hour=5)))
    assert first == later
    assert label_rows(frame.assign(known_at="2026-01-01"), layout, NOW).content_hash != first


def test_a_row_without_a_field_names_itself() -> None:
    complete = {"at": "2026-01-01", "score": 0.5, "features": {"amount": 1, "plan": "a"}}
    rows = [{"id": str(n), **complete} for n in range(4)]
    rows[2] |= {"features": {"plan": "a"}}
    with pytest.raises(InvalidInput) as caught:
        stored(BINARY, rows)
    assert caught.value.details == ("1 row came without 'features.amount' (row 3); send null where there is no value",)
    assert [(fault.row, fault.column, fault.value) for fault in caught.value.rows] == [(3, "features.amount", None)]
    assert len(stored(BINARY, [row | {"features": None} for row in rows])) == 4


def test_faulty_rows_are_listed_up_to_a_number() -> None:
    rows = [{"id": str(n), "label": "x" if n % 2 else 1} for n in range(2 * MOST_ROWS + 10)]
    with pytest.raises(InvalidInput) as caught:
        labelled(rows)
    error = caught.value
    assert (len(error.rows), error.more_rows) == (MOST_ROWS, True)
    assert [fault.row for fault in error.rows] == [*range(2, 2 * MOST_ROWS + 1, 2)]
    assert error.rows[0].cure.startswith("send one of '0', '1'")
    assert (error.rows[0].column, error.rows[0].value) == ("label", "x")


def test_a_repeated_id_is_no_fault_of_its_row() -> None:
    with pytest.raises(InvalidInput, match="that an earlier row has") as caught:
        labelled([{"id": "a", "label": 1}, {"id": "a", "label": 1}])
    assert caught.value.rows == ()


def test_lines_that_are_not_json_are_listed_by_row() -> None:
    body = b'{"id": 1}\n\n{"id"\n\n3\n'
    with pytest.raises(InvalidInput) as caught:
        json_rows(Content(body, Format.NDJSON, len(body)), ("id",), ("id",))
    assert [fault.row for fault in caught.value.rows] == [2]
