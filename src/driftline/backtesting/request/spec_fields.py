"""Checks the fields of a user's spec before the data is read. No I/O here."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from driftline.engine.catalogue import METRICS, ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec, spec_faults

_CHECKED_SEPARATELY = frozenset({"columns", "period", "problem", "time_zone"})
"""Fields that `read_request` checks, since options take precedence over them."""

_CATEGORY = ColumnSpec.model_construct(name="category", kind=ColumnKind.CATEGORICAL)


def field_faults(fields: Mapping[str, Any], problem: Problem | None) -> Iterator[str]:
    """Yield the faults that do not depend on the data: unknown names, invalid values, contradictions.

    `problem` is None where it is to be inferred from the data; then only what fits no problem is a fault.
    """
    yield from (f"spec: unknown field {name!r}" for name in sorted(set(fields) - set(Spec.model_fields)))
    names = set(Spec.model_fields) - _CHECKED_SEPARATELY
    values = {name: value for name, value in fields.items() if name in names}
    values |= _placeholders(values, problem)
    try:
        Spec.model_validate(values)
    except ValidationError as error:
        yield from spec_faults(error, values)


def _placeholders(values: Mapping[str, Any], problem: Problem | None) -> dict[str, Any]:
    """Return placeholders for the fields that depend on the data: the problem, the classes and the columns."""
    assumed_problem = problem or _problem_of(values)
    placeholders: dict[str, Any] = {"problem": assumed_problem}
    segments = values.get("segments")
    if isinstance(segments, list | tuple) and all(isinstance(name, str) for name in segments):
        placeholders["segments"] = (_CATEGORY.name,) if segments else ()
    placeholders["columns"] = (_CATEGORY,)
    classes = values.get("classes")
    if assumed_problem is Problem.MULTICLASS and (not classes or isinstance(classes, str)):
        placeholders["classes"] = ("0", "1")
    return placeholders


def _problem_of(values: Mapping[str, Any]) -> Problem:
    """Return a problem with these classes and metrics; binary if no problem has all metrics."""
    if values.get("classes"):
        return Problem.MULTICLASS
    metrics = values.get("metrics")
    names = {name for name in metrics if isinstance(name, str)} if isinstance(metrics, list | tuple) else set()
    return next((problem for problem in Problem if names <= {*METRICS[problem]}), Problem.BINARY)
