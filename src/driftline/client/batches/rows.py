"""Rows as lines of JSON, in the form that the monitor's API takes. No I/O here."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from driftline.client.batches.values import (
    PLAIN_TYPES,
    feature_value,
    instant_text,
    output_value,
    score_value,
    unicode_text,
)
from driftline.errors import InvalidInput

LONGEST_ID = 128
"""Characters that the monitor stores of a prediction's id."""
_ID = re.compile(rf"[^\x00-\x1f\x7f]{{0,{LONGEST_ID - 1}}}[^\x00-\x20\x7f]")
_LARGE = 10**18
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Row(NamedTuple):
    """A row as it is sent, with its id."""

    id: str
    line: bytes


def prediction_line(
    row_id: str,
    at: datetime | None,
    prediction: object,
    score: object,
    features: Mapping[str, object],
) -> bytes:
    """Return the line of one prediction; `at` is now by default.

    Raises:
        InvalidInput: a value cannot be sent; the message names it.
    """
    row: dict[str, Any] = {
        "id": row_id,
        "at": datetime.now(UTC).isoformat() if at is None else instant_text("at", at),
        "prediction": prediction if type(prediction) is int else output_value("prediction", prediction),
    }
    if isinstance(score, Mapping):
        row["scores"] = {_class_name(name): score_value(f"score of class {name!r}", p) for name, p in score.items()}
    elif score is not None:
        row["score"] = score if type(score) is float and isfinite(score) else score_value("score", score)
    else:
        row["score"] = row["scores"] = None  # the model may have either, and every row has every field
    if not isinstance(features, Mapping):
        msg = f"features is a value of type {type(features).__name__}; pass a mapping of feature names to values."
        raise InvalidInput(msg)
    return _line(row, features)


def label_line(row_id: str, label: object, known_at: str) -> bytes:
    """Return the line of one label; `known_at` is in ISO 8601.

    Raises:
        InvalidInput: the label is missing or cannot be sent.
    """
    value = output_value(f"label of {row_id!r}", label)
    return _encode({"id": row_id, "label": value, "known_at": known_at}).encode() + b"\n"


def checked_id(value: object) -> str:
    """Return an id as text; whole numbers are converted.

    Raises:
        InvalidInput: the id is neither text nor a whole number, or the monitor would refuse it.
    """
    if type(value) is not str:
        value = _whole_number(value)
    if not _ID.fullmatch(value):
        msg = (
            f"id {value!r:.150} has {len(value)} characters; pass 1 to {LONGEST_ID}, without control characters and "
            "without a blank at the end."
        )
        raise InvalidInput(msg)
    return value if value.isascii() else unicode_text("id", value)


def _whole_number(value: object) -> str:
    """Return a whole number, numpy's too, as text, and other kinds of text as plain text."""
    plain = output_value("id", value)
    if isinstance(plain, bool | float):
        msg = f"id is {value!r}; pass a text or a whole number."
        raise InvalidInput(msg)
    return str(plain)


def _class_name(name: object) -> str:
    return name if type(name) is str else str(output_value("class of a score", name))


def _line(row: dict[str, Any], features: Mapping[str, object]) -> bytes:
    """Encode a row; only features that JSON does not have as they are take the slower path."""
    if type(features) is dict and _are_plain(features):
        row["features"] = features
        try:
            return _encode(row).encode() + b"\n"
        except ValueError:  # a NaN, an infinite number, or half of a surrogate pair
            pass
    row["features"] = _converted(features)
    try:
        return _encode(row).encode() + b"\n"
    except UnicodeEncodeError as error:
        msg = (
            f"The row with id {row['id']!r} contains invalid Unicode text ({error}); decode it with its encoding first."
        )
        raise InvalidInput(msg) from None


def _are_plain(features: Mapping[str, Any]) -> bool:
    """Return whether all names and values are of types that JSON has; NaN and infinite numbers are not looked for."""
    types = set(map(type, features.values()))
    if not (types <= PLAIN_TYPES and {str}.issuperset(map(type, features))):
        return False
    return int not in types or all(-_LARGE < value < _LARGE for value in features.values() if type(value) is int)


def _converted(features: Mapping[str, object]) -> dict[str, Any]:
    """Return features as JSON has them, values one by one."""
    converted = {}
    for name, value in features.items():
        if not isinstance(name, str):
            msg = f"The feature name {name!r} is of type {type(name).__name__}; pass a text."
            raise InvalidInput(msg)
        converted[str(name)] = feature_value(name, value)
    return converted
