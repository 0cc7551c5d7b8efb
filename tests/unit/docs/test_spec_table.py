"""The reference of the spec lists the fields, values and defaults of the code."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

import driftline
from driftline.engine.catalogue import (
    COLUMN_METHODS,
    METRICS,
    MULTIVARIATE_METHODS,
    OVERRIDABLE,
    ColumnKind,
    Problem,
)
from driftline.engine.results import Method, Metric, Quality, Statistic
from driftline.engine.spec import BusinessValue, ColumnSpec, Spec
from driftline.engine.threshold_override import ConstantThreshold, StandardDeviationThreshold
from driftline.spec_input import read_spec
from tests.unit.docs.pages import DOCS, fenced, spans, table

PAGE = DOCS / "reference" / "spec.md"
TABLES: dict[str, tuple[type[BaseModel], ...]] = {
    "Fields": (Spec,),
    "Columns": (ColumnSpec,),
    "Values of outcomes": (BusinessValue,),
    "Overrides": (ConstantThreshold, StandardDeviationThreshold),
}
LINKS = {
    "ColumnSpec": "[columns](#columns)",
    "BusinessValue": "[values of outcomes](#values-of-outcomes)",
    "Metric": "[names](#names)",
    "Method": "[names](#names)",
    "Quality": "[names](#names)",
    "Statistic": "[names](#names)",
}
TYPES = {"string": "text", "boolean": "true or false", "number": "number", "integer": "whole number", "null": "null"}
LIMITS = {"exclusiveMinimum": "above", "minimum": "of at least", "maximum": "at most"}


def value_of(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return in the page's words which values a JSON schema allows."""
    if "anyOf" in schema:
        return ", ".join(value_of(part, definitions) for part in schema["anyOf"])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return LINKS.get(name) or value_of(definitions[name], definitions)
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return ", ".join(f"`{value}`" for value in choices)
    return _value_of_type(schema, definitions)


def _value_of_type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if schema["type"] == "object":
        return "mapping of [names](#names) to [overrides](#overrides)"
    if schema["type"] == "array":
        least = f"at least {schema['minItems']} of " if "minItems" in schema else ""
        item = value_of(schema["items"], definitions)
        return f"list of {least}{f'{item}s' if item == 'text' else item}"
    if schema.get("format") == "duration":
        return "duration of at least 0"
    limits = [f"{words} {schema[limit]}" for limit, words in LIMITS.items() if limit in schema]
    return f"{TYPES[schema['type']]} {', '.join(limits)}".strip()


def in_code(model: type[BaseModel]) -> list[tuple[str, str, str]]:
    """Return name, value and default of each field of a model."""
    schema = model.model_json_schema()
    optional = {name for name, field in model.model_fields.items() if not field.is_required()}
    return [
        (
            f"`{name}`",
            value_of(field, schema.get("$defs", {})),
            f"`{json.dumps(field.get('default', {}))}`" if name in optional else "required",
        )
        for name, field in schema["properties"].items()
    ]


@pytest.mark.parametrize("title", TABLES)
def test_the_fields_are_those_of_the_code(title: str) -> None:
    rows = [row for row in table(PAGE, title) if row[0].startswith("`")]
    assert [(name, value, default) for name, value, default, _ in rows] == [
        row for model in TABLES[title] for row in in_code(model)
    ]
    assert [name for name, *_, meaning in rows if not meaning] == []


@pytest.mark.parametrize(
    "field", [name for name, field in Spec.model_fields.items() if "delay" in name or "late" in name]
)
def test_a_duration_is_not_negative(field: str) -> None:
    with pytest.raises(driftline.InvalidInput, match="valid"):
        driftline.Spec(columns=["a"], **{field: "-P1D"})


def test_the_names_are_those_of_the_catalogue() -> None:
    binary = [*METRICS[Problem.BINARY], Metric.CONFUSION_MATRIX]
    names = [
        binary,
        METRICS[Problem.MULTICLASS],
        METRICS[Problem.REGRESSION],
        COLUMN_METHODS[ColumnKind.CONTINUOUS],
        COLUMN_METHODS[ColumnKind.CATEGORICAL],
        MULTIVARIATE_METHODS,
        Quality,
        Statistic,
    ]
    listed = [spans(cell) for _, cell in table(PAGE, "Names")]
    assert listed == [[*map(str, of_field)] for of_field in names]
    assert {name for of_field in listed for name in of_field} - {*map(str, OVERRIDABLE)} == {Method.CHI2}


def test_the_example_is_a_spec(tmp_path: Any) -> None:
    (example,) = fenced(PAGE, "yaml")
    (tmp_path / "spec.yaml").write_text(example)
    spec = driftline.Spec(columns=[{"name": "plan", "kind": "categorical"}], **read_spec(tmp_path / "spec.yaml"))
    assert (spec.label_delay.days, spec.segments) == (3, ("plan",))
