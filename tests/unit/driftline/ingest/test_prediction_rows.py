"""Rows of every kind of model become the schema's columns; faults name row, column, value and cure."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput
from driftline.ingest.rows.content import Content, Format
from driftline.ingest.rows.json_rows import SentRows, json_rows
from driftline.ingest.rows.label_rows import label_rows
from driftline.ingest.rows.layouts import PREDICTION_FIELDS, IngestLayout, flat_layout, nested_layout, query_option
from driftline.ingest.rows.prediction_rows import PredictionRows, columns_read, prediction_rows
from driftline.store.versions.model_layout import ModelLayout

NOW = datetime(2026, 2, 1, tzinfo=UTC)
COLUMNS = (ColumnSpec(name="amount"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL))
BINARY = Spec(columns=COLUMNS)
MULTICLASS = Spec(problem=Problem.MULTICLASS, classes=("cat", "dog"), columns=COLUMNS, metrics=())
REGRESSION = Spec(problem=Problem.REGRESSION, columns=COLUMNS, metrics=())
CHURN = ModelLayout(
    {"event_time": "When", "id": "Ticket", "label": "Left", "probability_1": "Risk %", "amount": "id", "plan": "at"},
    classes={"Left": {"stayed": 0.0, "left": 1.0}},
    threshold=0.25,
    scale_unit="percent",
    na_values=("-999",),
)


def flat(spec: Spec, **columns: list[Any]) -> dict[str, list[Any]]:
    """Return the rows of a flat table, shaped by the engine's own names."""
    base = {"event_time": ["2026-01-01"], "id": ["a"], "amount": [1.5], "plan": ["x"]}
    layout = flat_layout(spec, ModelLayout.canonical(spec))
    return shaped(pd.DataFrame(base | columns), layout)


def shaped(frame: pd.DataFrame, layout: IngestLayout) -> dict[str, list[Any]]:
    rows = prediction_rows(SentRows(frame), layout, 3, NOW, times_needed=True)
    return as_lists(rows)


def as_lists(rows: PredictionRows) -> dict[str, list[Any]]:
    lists: dict[str, list[Any]] = rows.table.to_pydict()
    return lists


def test_a_binary_prediction() -> None:
    rows = flat(BINARY, prediction=[True], probability_1=["0.75"])
    assert (rows["prediction"], rows["probability_1"], rows["model_version"]) == ([1], [0.75], [3])
    assert rows["event_time"][0].isoformat() == "2026-01-01T00:00:00+00:00"


def test_a_multiclass_prediction() -> None:
    rows = flat(MULTICLASS, prediction=["dog"], probability_cat=[0.25], probability_dog=[0.75])
    assert (rows["prediction"], rows["probability_cat"], rows["probability_dog"]) == (["dog"], [0.25], [0.75])
    frame = flat(MULTICLASS, probability_cat=[0.25], probability_dog=[0.75])
    assert frame["prediction"] == ["dog"]
    with pytest.raises(InvalidInput, match=r"'bird', row 1.*send one of 'cat', 'dog'"):
        flat(MULTICLASS, prediction=["bird"], probability_cat=[0.25], probability_dog=[0.75])


def test_a_regression() -> None:
    assert flat(REGRESSION, prediction=[12])["prediction"] == [12.0]
    with pytest.raises(InvalidInput, match="column 'prediction' has 1 value that is not a number"):
        flat(REGRESSION, prediction=["twelve"])


def test_values_are_the_same_however_they_are_written() -> None:
    rows = flat(BINARY, id=[17], plan=[1.0], amount=["NA"], prediction=["0"], probability_1=[1 + 1e-9])
    assert (rows["id"], rows["plan"], rows["amount"], rows["probability_1"]) == (["17"], ["1"], [None], [1.0])


def test_a_model_is_read_like_its_reference() -> None:
    layout = flat_layout(BINARY, CHURN)
    frame = pd.DataFrame({"When": [0], "Ticket": ["a"], "Risk %": [30.0], "id": [-999], "at": ["x"]})
    with pytest.raises(InvalidInput, match="too small to be seconds"):
        shaped(frame, layout)
    rows = shaped(frame.assign(When="2026-01-01T00:00:00Z"), layout)
    assert (rows["id"], rows["probability_1"], rows["prediction"]) == (["a"], [0.3], [1])
    assert (rows["amount"], rows["plan"]) == ([None], ["x"])
    with pytest.raises(InvalidInput, match=r"outside 0 to 100 \(300.0, row 1\)"):
        shaped(frame.assign(When="2026-01-01", **{"Risk %": 300.0}), layout)


def test_json_names_features_as_the_reference_does() -> None:
    body = b'[{"id": "a", "at": "2026-01-01", "score": 30, "features": {"id": 7, "at": "x"}}]'
    layout = nested_layout(BINARY, CHURN)
    frame = json_rows(Content(body, Format.JSON, len(body)), PREDICTION_FIELDS, columns_read(layout)).frame
    rows = shaped(frame, layout)
    assert (rows["id"], rows["amount"], rows["plan"], rows["probability_1"]) == (["a"], [7.0], ["x"], [0.3])
    labels = label_rows(pd.DataFrame({"id": ["a", "b"], "label": ["left", 0]}), layout, NOW)
    assert labels.frame["value"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"amount": [float("inf")]}, "column 'amount' has 1 value that is infinite"),
        ({"amount": ["ERR"]}, r"column 'amount' has 1 value that is not a number \('ERR', row 1\); clean it, or pass "),
        ({"id": ["a "]}, r"column 'id' has 1 value that is not an id \('a ', row 1\)"),
        ({"id": ["a\n"]}, "no control characters"),
        ({"id": [""]}, r"column 'id' has no value in 1 row \(row 1\)"),
        ({"id": ["x" * 129]}, "an id has 1 to 128 characters"),
        ({"plan": ["x" * 4_097]}, "of more than 4,096 characters"),
        ({"event_time": ["2026-03-01"]}, "more than 1 day in the future"),
        ({"event_time": [None]}, "event_time"),
        ({"probability_1": [-0.5]}, "outside 0 to 1"),
    ],
)
def test_a_fault_names_row_column_value_and_cure(columns: dict[str, list[Any]], message: str) -> None:
    outputs: dict[str, list[Any]] = {"prediction": [1], "probability_1": [0.5]}
    with pytest.raises(InvalidInput, match=message):
        flat(BINARY, **(outputs | columns))


def test_rows_of_a_later_part_keep_their_numbers() -> None:
    layout = flat_layout(BINARY, ModelLayout.canonical(BINARY)).with_words(("unknown",), query_option)
    frame = pd.DataFrame({"event_time": ["x"], "id": [None], "amount": ["unknown"], "plan": [1], "prediction": [2]})
    with pytest.raises(InvalidInput) as caught:
        prediction_rows(
            SentRows(frame.assign(probability_1=0.5)), layout, 1, NOW, times_needed=True, rows_before=50_000
        )
    assert len(caught.value.details) == 3
    assert all("row 50,001" in detail for detail in caught.value.details)
