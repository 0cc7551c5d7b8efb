"""Infers which columns are features, and whether each is categorical or continuous. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.sources.sources import is_unnamed
from driftline.backtesting.input.values.missing import MISSING
from driftline.backtesting.input.values.number_text import (
    Notation,
    NumberText,
    is_text,
    looks_like_numbers,
    number_text,
)
from driftline.backtesting.request.inference.moving_columns import moving_reason
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import coded, floats_and_strays
from driftline.engine.frames.stray_values import StrayValues
from driftline.errors import InvalidInput

FEW_VALUES = 10
"""Integers with at most this many distinct values in the reference are categories."""
MANY_VALUES = 50
ROWS_PER_VALUE = 20
"""Text with more than `MANY_VALUES` values, and on average fewer rows of each, is left out unless it is requested."""
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Features:
    """The kind of each feature, the notation of those that hold numbers as text, and what was inferred."""

    kinds: Mapping[str, ColumnKind]
    notations: Mapping[str, Notation]
    notes: tuple[Inference, ...] = field(default=())


def features_of(request: ResolvedRequest, reference: Rows) -> Features:
    """Infer the features and their kinds from the reference's rows.

    Raises InvalidInput for a column that the spec declares continuous and that holds text.
    """
    frame = reference.frame
    notes: list[Inference] = []
    names = _candidates(request, frame)
    texts = {name: text for name in names if (text := _numbers_in_text(frame[name], request))}
    if request.features is None:
        reasons = {name: _reason_to_leave_out(name, texts.get(name), reference, request) for name in names}
        names = tuple(name for name in names if reasons[name] is None)
        notes.append(Inference("features", ", ".join(names) or "none", "all columns that have no other role"))
        notes += [Inference("left out", name, reason) for name, reason in reasons.items() if reason]
    kinds = {name: request.kinds.get(name) or _kind(frame[name], texts.get(name), request) for name in names}
    _reject_text(kinds, texts, reference, request)
    notations = {name: text.notation for name, text in texts.items() if kinds.get(name) is ColumnKind.CONTINUOUS}
    notes += [*_kind_notes(kinds, request), *_text_notes(kinds, notations, frame, request)]
    notes += _empty_notes(kinds, frame)
    return Features(kinds, notations, tuple(notes))


def _empty_notes(kinds: Mapping[str, ColumnKind], frame: pd.DataFrame) -> Iterator[Inference]:
    """Yield a note that names the features without any value in the reference."""
    empty = [repr(name) for name in kinds if frame[name].isna().all()]
    if empty:
        rule = "their drift cannot be computed; leave them out, or give a reference that has values"
        yield Inference("empty", f"without any value in the reference: {', '.join(empty)}", rule, notable=True)


def _candidates(request: ResolvedRequest, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that may be features."""
    if request.features is not None:
        return request.features
    return tuple(str(name) for name in frame.columns if name not in request.roles)


def _numbers_in_text(column: "pd.Series[Any]", request: ResolvedRequest) -> NumberText | None:
    """Return the numbers of a text column; None for other text, and for a few integers where kinds are inferred."""
    text = number_text(column) if is_text(column) else None
    codes = text is not None and request.categorical is None and _are_few_integers(text.values)
    return None if codes else text


def _kind_notes(kinds: Mapping[str, ColumnKind], request: ResolvedRequest) -> Iterator[Inference]:
    """Yield a note with the inferred features of each kind."""
    stated = request.categorical is not None
    numbers = "" if stated else f", and whole numbers with at most {FEW_VALUES} distinct values in the reference"
    rules = {
        ColumnKind.CATEGORICAL: f"text, true/false{numbers}",
        ColumnKind.CONTINUOUS: "numbers not named as categorical" if stated else "all other numbers",
    }
    for kind, rule in rules.items():
        names = [name for name in kinds if kinds[name] is kind and name not in request.kinds]
        if names:
            yield Inference(kind.value, ", ".join(names), rule)


def _text_notes(
    kinds: Mapping[str, ColumnKind],
    notations: Mapping[str, Notation],
    frame: pd.DataFrame,
    request: ResolvedRequest,
) -> Iterator[Inference]:
    """Yield a note for each notation of numbers in text, and for categories that may denote a missing value."""
    for name, notation in notations.items():
        if notation is not Notation.PLAIN:
            yield Inference("numbers", name, f"text, read as {notation}")
    for name, kind in kinds.items():
        if kind is ColumnKind.CATEGORICAL and is_text(frame[name]):
            words = sorted(set(coded(frame[name])[1]) & set(MISSING))
            if words:
                cure = request.option("na_values", words)
                yield Inference(
                    "category", f"{', '.join(words)} in {name}", f"pass {cure} if it stands for a missing value"
                )


def _kind(column: "pd.Series[Any]", text: NumberText | None, request: ResolvedRequest) -> ColumnKind:
    """Return the inferred kind of a column; `text` are its numbers if it holds them as text."""
    if text is not None:
        return ColumnKind.CONTINUOUS
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        return ColumnKind.CATEGORICAL
    few = request.categorical is None and _has_few_integers(column)
    return ColumnKind.CATEGORICAL if few else ColumnKind.CONTINUOUS


def _has_few_integers(column: "pd.Series[Any]") -> bool:
    return all(_are_few_integers(rows.dropna().unique()) for rows in (column.iloc[:_SAMPLE], column))


def _are_few_integers(numbers: Any) -> bool:
    """Return whether these are integers with few distinct values."""
    values = np.asarray(numbers, dtype=np.float64)
    values = np.unique(values[~np.isnan(values)])
    return 0 < len(values) <= FEW_VALUES and are_integers(values)


def are_integers(values: Any) -> bool:
    """Return whether all values are finite integers."""
    floats = np.asarray(values, dtype=np.float64)
    return bool(np.all(np.isfinite(floats) & (np.trunc(floats) == floats)))


def _reason_to_leave_out(name: str, text: NumberText | None, reference: Rows, request: ResolvedRequest) -> str | None:
    """Return why a column that was not requested is not a feature; None if it is."""
    column = reference.frame[name]
    if name in request.kinds:
        return None
    if column.dtype.kind == "c":
        return "complex numbers have no order"
    reason = moving_reason(column if text is None else pd.Series(text.values))
    if reason is None and is_unnamed(name):
        reason = "it has no name in the data"
    if reason is None and text is None and not pd.api.types.is_numeric_dtype(column.dtype):
        reason = _reason_of_text(column, reference, request)
    return reason


def _reason_of_text(column: "pd.Series[Any]", reference: Rows, request: ResolvedRequest) -> str | None:
    """Return why text or objects are not compared; None where each value has enough rows."""
    try:
        distinct = int(column.nunique())
    except TypeError:
        return "values that are neither numbers nor text"
    if distinct <= MANY_VALUES or distinct * ROWS_PER_VALUE <= len(column):
        return None
    return (
        f"text with fewer than {ROWS_PER_VALUE} rows per value in the reference is not compared"
        f"{_strays_in_text(column, reference)}; {request.option('features')} can include it"
    )


def _strays_in_text(column: "pd.Series[Any]", reference: Rows) -> str:
    """Return the words that keep a text column with many numbers from being numeric, for a message."""
    if not is_text(column) or not looks_like_numbers(column):
        return ""
    text = NumberText.of(column, Notation.PLAIN)
    if not text.stray.any():
        return ""
    return f", and as numbers it has {StrayValues.of(column, text.stray, reference.numbers)}"


def _reject_text(
    kinds: Mapping[str, ColumnKind], texts: Mapping[str, NumberText], reference: Rows, request: ResolvedRequest
) -> None:
    """Raise InvalidInput for a column that the request declares continuous and that holds more than a few words."""
    for name in request.kinds:
        if kinds.get(name) is ColumnKind.CONTINUOUS and name not in texts:
            column = reference.frame[name]
            stray = floats_and_strays(column)[1]
            if stray.any():
                strays = StrayValues.of(column, stray, reference.numbers)
                msg = f"column {name!r} has {strays}; clean it, or pass {request.option('categorical', [name])}"
                raise InvalidInput(msg)
