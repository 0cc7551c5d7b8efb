"""Checks a request before the data is read, and lists all of its faults. No I/O here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from driftline.backtesting.input.values.instants import instant
from driftline.backtesting.input.values.missing import MISSING, MISSING_TEXT
from driftline.backtesting.options import OptionStyle
from driftline.backtesting.request.chunking import Cut
from driftline.backtesting.request.faults import Faults
from driftline.backtesting.request.outputs.classes import NEGATIVE_WORDS, POSITIVE_WORDS, plain
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.spec_fields import field_faults
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.spec import time_zones
from driftline.errors import InvalidInput
from driftline.validation_faults import validation_faults

_DATUM = re.compile(r"-?\d+\.\d+$|\d{4}-\d\d-\d\d")
"""A number with decimals, or the beginning of an instant: rarely the name of a column."""


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """A valid request: the column of each role, the end of the reference, and how to cut the rows.

    `scores` maps each class to its column; the only score of a binary model has the class "". `kinds` holds the kinds
    that the request sets, and `unwatched` the columns that are not watched for drift. None is to be inferred or
    omitted.
    """

    timestamp: str
    label: str | None
    prediction: str | None
    id: str | None
    categorical: tuple[str, ...] | None
    positive: str | None
    name: str | None
    scores: Mapping[str, str]
    kinds: Mapping[str, ColumnKind]
    unwatched: frozenset[str]
    features: tuple[str, ...] | None
    zone: ZoneInfo
    until: datetime | None
    cut: Cut | None
    problem: Problem | None
    fields: Mapping[str, Any]
    option: OptionStyle
    na_values: frozenset[str] = frozenset()

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are not features."""
        columns = (self.timestamp, self.label, self.prediction, self.id, *self.scores.values())
        return tuple(dict.fromkeys(name for name in columns if name is not None))

    def missing_words(self, column: str) -> frozenset[str]:
        """Return the words that denote a missing value in a column: NA can be a category, but not a label or a time.

        A word that the request declares as a class is never one of them.
        """
        if column not in self.roles or column == self.id:
            return self.na_values.union(MISSING_TEXT)
        classes = self.fields.get("classes")
        declared = {*self.scores, *(map(str, classes) if isinstance(classes, list | tuple) else ()), self.positive}
        return self.na_values.union(MISSING) - (declared - {"", None})


def read_request(request: Request, columns: tuple[str, ...] | None) -> ResolvedRequest:
    """Check a request against the names of the columns; with None, check only what does not depend on them.

    Raises one InvalidInput that lists every fault.
    """
    faults = Faults()
    fields = {**request.spec, **request.spec_options}
    zone = _zone(fields, faults)
    column_options = _columns(fields.pop("columns", None), faults)
    problem = _problem(request.problem or fields.get("problem"), faults)
    kinds = {column.name: column.kind for column in column_options if column.kind}
    resolved = ResolvedRequest(
        timestamp=request.timestamp,
        label=request.label,
        prediction=request.prediction,
        id=request.id,
        categorical=request.categorical,
        positive=request.positive,
        name=request.name,
        scores={score.class_name or "": score.column for score in request.scores},
        kinds=kinds | dict.fromkeys(request.categorical or (), ColumnKind.CATEGORICAL),
        unwatched=frozenset(column.name for column in column_options if not column.watched),
        features=request.features or tuple(column.name for column in column_options) or None,
        zone=zone,
        until=faults.collect(lambda: _until(request.reference_until, zone, request.option)),
        cut=faults.collect(lambda: _cut(request.chunk or fields.get("period"))),
        problem=problem,
        fields=fields,
        option=request.option,
        na_values=frozenset(request.na_values),
    )
    faults.messages += _column_faults(resolved, columns) if columns is not None else ()
    faults.messages += _role_faults(resolved)
    faults.messages += _score_faults(resolved, len(request.scores))
    faults.messages += field_faults(fields, problem)
    faults.raise_any()
    return resolved


def _zone(fields: Mapping[str, Any], faults: Faults) -> ZoneInfo:
    """Return the time zone of the spec; for an unknown one, add a fault and return UTC."""
    name = str(fields.get("time_zone", "UTC"))
    if name in time_zones():
        return ZoneInfo(name)
    faults.messages.append(f"spec: unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin' or 'UTC'")
    return ZoneInfo("UTC")


def _problem(name: Any, faults: Faults) -> Problem | None:
    """Return the problem of this name, if any; for an unknown one, add a fault and return None."""
    if name is None or name in list(Problem):
        return None if name is None else Problem(name)
    faults.messages.append(f"unknown problem {name!r}; choose one of {', '.join(Problem)}")
    return None


class ColumnOption(BaseModel):
    """A column of the spec as a user writes it: its name in the data, and its kind unless that is to be inferred."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ColumnKind | None = None
    watched: bool = True

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        is_name = isinstance(value, str | int) and not isinstance(value, bool)
        return {"name": str(value)} if is_name else value


_COLUMN_OPTIONS = TypeAdapter(tuple[ColumnOption, ...])


def _columns(columns: Any, faults: Faults) -> tuple[ColumnOption, ...]:
    """Parse the spec's columns: names, or objects with name, kind and watched."""
    if columns is None:
        return ()
    try:
        return _COLUMN_OPTIONS.validate_python(columns)
    except ValidationError as error:
        faults.messages += validation_faults(error, root="spec", within=("columns",))
        return ()


def _cut(value: Any) -> Cut | None:
    if not isinstance(value, str | None):
        msg = f"a chunk is a text such as 1d, rows:5000 or count:20, not {value!r}"
        raise InvalidInput(msg)
    return Cut.read(value)


def _until(value: Any, zone: ZoneInfo, option: OptionStyle) -> datetime | None:
    """Parse the end of the reference: text, or any type that holds a date or an instant."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return instant(value, zone)
    moment = _moment(value)
    if moment is None:
        msg = f"{option('reference_until', value)} is not a date or instant; pass an ISO 8601 text or a datetime"
        raise InvalidInput(msg)
    return instant(moment, zone)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, date | np.datetime64) or pd.isna(value):
        return None
    if type(value) is datetime:
        return value
    try:
        return pd.Timestamp(value).to_pydatetime(warn=False)
    except (ValueError, OverflowError):
        return None


def _column_faults(request: ResolvedRequest, columns: tuple[str, ...]) -> Iterator[str]:
    """Yield the faults of column names: repeated ones, and requested ones that the data lacks."""
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        yield f"several columns are called {', '.join(map(repr, repeated))}; rename them, so that each name is distinct"
    requested = {
        "timestamp": (request.timestamp,),
        "label": _as_tuple(request.label),
        "prediction": _as_tuple(request.prediction),
        "score": tuple(request.scores.values()),
        "id": _as_tuple(request.id),
        "features": request.features or (),
        "categorical": request.categorical or (),
        "segments": _segments(request.fields),
    }
    unknown = [f"{name!r} ({role})" for role, names in requested.items() for name in names if name not in columns]
    if unknown:
        listed = ", ".join(map(_visible, columns))
        single = "; is that one column? Separate fields by commas" if len(columns) == 1 else ""
        data = "; these look like data: begin the file with a line of column names" if _are_data(columns) else ""
        yield f"there is no column {', '.join(unknown)}; available: {listed}{single}{data}"


def _are_data(columns: Sequence[str]) -> bool:
    """Return whether a column is called like a number with decimals or an instant, as where a file has no header."""
    return any(_DATUM.match(name) for name in columns)


def _visible(name: str) -> str:
    """Return a column's name for a message: in quotes if it has blanks at its ends or unprintable characters."""
    return name if name.isprintable() and name == name.strip() and "  " not in name else repr(name)


def _as_tuple(name: str | None) -> tuple[str, ...]:
    """Return a column's name as a tuple, empty for None; an empty name is kept, so that it is reported as unknown."""
    return () if name is None else (name,)


def _segments(fields: Mapping[str, Any]) -> tuple[str, ...]:
    segments = fields.get("segments")
    return tuple(name for name in segments if isinstance(name, str)) if isinstance(segments, list | tuple) else ()


def _role_faults(request: ResolvedRequest) -> Iterator[str]:
    """Yield the faults of roles: columns with two of them, and categorical columns that are not features."""
    shared = [name for name in request.features or () if name in request.roles]
    if shared:
        yield f"{', '.join(shared)} cannot be a feature and have another role too"
    assigned = [name for name in request.categorical or () if name in request.roles]
    if assigned:
        yield f"{request.option('categorical')} is for features, and {', '.join(assigned)} has another role"
    unknown = request.features and set(request.categorical or ()).difference(request.features, request.roles)
    stray = [name for name in request.categorical or () if unknown and name in unknown]
    if stray:
        yield f"{request.option('categorical', stray)} is not among the features"
    roles = [name for name in (request.timestamp, request.label, request.prediction, request.id) if name]
    roles += request.scores.values()
    repeated = sorted({name for name in roles if roles.count(name) > 1})
    if repeated:
        yield f"{', '.join(repeated)} has two roles; name one column for each"


def _score_faults(request: ResolvedRequest, count: int) -> Iterator[str]:
    if count > 1 and ("" in request.scores or len(request.scores) < count):
        example = request.option("score", {"CLASS": "COLUMN", "OTHER": "COLUMN2"})
        yield f"several scores need their classes, every class once: {example}"
    if request.scores and request.problem is Problem.REGRESSION:
        yield f"a regression has no scores; pass its column as {request.option('prediction')}"
    if request.problem is Problem.BINARY and len(request.scores) > 1:
        yield "a binary model has one score, the probability of class 1"
    elif len(request.scores) == 1 and request.problem is not Problem.MULTICLASS:
        ((name, column),) = request.scores.items()
        yield from _class_of_score_faults(request, name, column)


def _class_of_score_faults(request: ResolvedRequest, name: str, column: str) -> Iterator[str]:
    """Yield the fault of a binary model's score whose class is named and is not class 1."""
    positive = request.positive
    normalized = plain(name)
    if not name or (normalized in POSITIVE_WORDS if positive is None else normalized == plain(positive)):
        return
    score = request.option("score", {name: column})
    if positive is not None or normalized in NEGATIVE_WORDS:
        yield (
            f"{score}: one score is the probability of class 1, and {name!r} is not that class; "
            "pass the column with the probability of class 1, or the scores of all classes"
        )
    else:
        yield f"{score}: if {name!r} is class 1, pass {request.option('positive', name)}; else pass all scores"
