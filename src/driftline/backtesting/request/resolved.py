"""Everything that can be wrong with a request before the data is read, found at once. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from driftline.backtesting.input.instants import instant
from driftline.backtesting.request.chunking import Cut
from driftline.backtesting.request.classes import ONES, ZEROS, plain
from driftline.backtesting.request.request import Request
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.spec import Spec, time_zones
from driftline.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, read: the column of each role, kinds of columns as given, where the reference ends, how to cut.

    `scores` is by class; a binary model's only one stands under "". `kinds` holds what was said of columns, and
    `unwatched` those that are not to be watched.
    """

    request: Request
    scores: Mapping[str, str]
    kinds: Mapping[str, ColumnKind]
    unwatched: frozenset[str]
    features: tuple[str, ...] | None
    zone: ZoneInfo
    until: datetime | None
    cut: Cut | None
    problem: Problem | None
    fields: Mapping[str, Any]

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are no features."""
        one = self.request
        named = (one.timestamp, one.label, one.prediction, one.id, *self.scores.values())
        return tuple(dict.fromkeys(name for name in named if name is not None))


def read_request(request: Request, columns: tuple[str, ...] | None) -> Asked:
    """Check a request against the names of the columns, where they are known; an InvalidInput lists every fault."""
    faults: list[str] = []
    fields = dict(request.spec)
    zone = _zone(fields, faults)
    scores = _scores(request.scores, columns or ())
    said = _columns(fields.pop("columns", None), faults)
    problem = _problem(request.problem or fields.get("problem"), faults)
    asked = Asked(
        request=request,
        scores=scores,
        kinds={one.name: one.kind for one in said if one.kind} | _categorical(request),
        unwatched=frozenset(one.name for one in said if not one.watched),
        features=request.features or tuple(one.name for one in said) or None,
        zone=zone,
        until=_caught(lambda: _until(request.reference_until, zone), faults),
        cut=_caught(lambda: _cut(request.chunk or fields.get("period")), faults),
        problem=problem,
        fields=fields,
    )
    faults += _column_faults(asked, columns) if columns is not None else ()
    faults += _role_faults(asked)
    faults += _score_faults(asked)
    faults += [f"spec: unknown field {name!r}" for name in sorted(set(fields) - set(Spec.model_fields))]
    if faults:
        raise InvalidInput("The backtest cannot start.", details=tuple(faults))
    return asked


def _caught(read: Any, faults: list[str]) -> Any:
    try:
        return read() or None
    except InvalidInput as error:
        faults.append(error.message)
        return None


def _zone(fields: Mapping[str, Any], faults: list[str]) -> ZoneInfo:
    name = str(fields.get("time_zone", "UTC"))
    if name in time_zones():
        return ZoneInfo(name)
    faults.append(f"spec: unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin' or 'UTC'")
    return ZoneInfo("UTC")


def _problem(name: Any, faults: list[str]) -> Problem | None:
    if name is None or name in list(Problem):
        return None if name is None else Problem(name)
    faults.append(f"unknown problem {name!r}; there are {', '.join(Problem)}")
    return None


def _scores(given: tuple[str, ...], columns: tuple[str, ...]) -> dict[str, str]:
    """Read `column` or `class=column`; a column whose own name has an equals sign is a column."""
    pairs = (("", text) if text in columns or "=" not in text else text.split("=", 1) for text in given)
    return {str(name).strip(): column.strip() for name, column in pairs}


def _categorical(request: Request) -> dict[str, ColumnKind]:
    return dict.fromkeys(request.categorical or (), ColumnKind.CATEGORICAL)


class SaidColumn(BaseModel):
    """A column of the spec, as a person writes it: by its name in the data, of any kind unless it is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ColumnKind | None = None
    watched: bool = True

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


_SAID = TypeAdapter(tuple[SaidColumn, ...])


def _columns(given: Any, faults: list[str]) -> tuple[SaidColumn, ...]:
    """Read the spec's columns: names, or name with kind and watched."""
    if given is None:
        return ()
    named = (
        [{"name": one} if isinstance(one, str) else one for one in given] if isinstance(given, list | tuple) else given
    )
    try:
        return _SAID.validate_python(named)
    except ValidationError as error:
        faults += spec_faults(error, "columns")
        return ()


def spec_faults(error: ValidationError, *within: str) -> Iterator[str]:
    """Write each fault of a spec with its place in it."""
    for fault in error.errors():
        place = ".".join(map(str, (*within, *fault["loc"])))
        yield ": ".join(filter(None, ("spec", place, fault["msg"].replace("a valid tuple", "a list"))))


def _cut(given: Any) -> Cut | None:
    if not isinstance(given, str | None):
        msg = f"a chunk is a text such as 1d, rows:5000 or count:20, not {given!r}"
        raise InvalidInput(msg)
    return Cut.read(given)


def _until(given: Any, zone: ZoneInfo) -> datetime | None:
    """Read when the reference ends: text, or any of the types that hold a date or an instant."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        return instant(given, zone)
    moment = _moment(given)
    if moment is None:
        msg = f"reference_until {given!r} is no date or instant; give an ISO text or a datetime"
        raise InvalidInput(msg)
    return instant(moment, zone)


def _moment(given: Any) -> datetime | None:
    if not isinstance(given, date | np.datetime64) or pd.isna(given):
        return None
    if type(given) is datetime:
        return given
    try:
        return pd.Timestamp(given).to_pydatetime(warn=False)
    except (ValueError, OverflowError):
        return None


def _column_faults(asked: Asked, columns: tuple[str, ...]) -> Iterator[str]:
    request = asked.request
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        yield f"several columns are called {', '.join(map(repr, twice))}; rename them, so that each has its own name"
    named = {
        "timestamp": (request.timestamp,),
        "label": (request.label,),
        "prediction": (request.prediction,),
        "score": tuple(asked.scores.values()),
        "id": (request.id,),
        "features": asked.features or (),
        "categorical": request.categorical or (),
    }
    unknown = [f"{name!r} ({role})" for role, names in named.items() for name in names if name and name not in columns]
    if unknown:
        listed = ", ".join(columns)
        yield f"there is no column {', '.join(unknown)}; available: {listed}"


def _role_faults(asked: Asked) -> Iterator[str]:
    request = asked.request
    both = [name for name in asked.features or () if name in asked.roles]
    if both:
        yield f"{', '.join(both)} cannot be a feature and have another role too"
    settled = [name for name in request.categorical or () if name in asked.roles]
    if settled:
        yield f"--categorical is for features, and {', '.join(settled)} has another role"
    unknown = asked.features and set(request.categorical or ()).difference(asked.features, asked.roles)
    stray = [name for name in request.categorical or () if unknown and name in unknown]
    if stray:
        yield f"--categorical names {', '.join(stray)}, not among the features"
    roles = [name for name in (request.timestamp, request.label, request.prediction, request.id) if name]
    roles += asked.scores.values()
    twice = sorted({name for name in roles if roles.count(name) > 1})
    if twice:
        yield f"{', '.join(twice)} has two roles; name one column for each"


def _score_faults(asked: Asked) -> Iterator[str]:
    several = len(asked.request.scores) > 1
    if several and (("" in asked.scores) or len(asked.scores) < len(asked.request.scores)):
        yield "several scores need their classes: --score CLASS=COLUMN for each, every class once"
    if asked.scores and asked.problem is Problem.REGRESSION:
        yield "a regression has no scores; give its column as --prediction"
    if asked.problem is Problem.BINARY and len(asked.scores) > 1:
        yield "a binary model has one score, the probability of class 1"
    elif len(asked.scores) == 1 and asked.problem is not Problem.MULTICLASS:
        ((name, column),) = asked.scores.items()
        yield from _one_score_faults(name, column, asked.request.positive)


def _one_score_faults(name: str, column: str, positive: str | None) -> Iterator[str]:
    """Say what is wrong with the class of a binary model's score, where one is named."""
    if not name or (plain(name) in ONES if positive is None else plain(name) == plain(positive)):
        return
    if positive is not None or plain(name) in ZEROS:
        yield (
            f"--score {name}={column}: one score is the probability of class 1, and {name!r} is not that class; "
            "give the column with the probability of class 1, or the scores of all classes"
        )
    else:
        yield f"--score {name}={column}: say that {name!r} is class 1, with --positive {name!r}, or give all scores"
