"""Injected drift: one table of its kinds, and the checked description of a drift. No I/O here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput


class DriftKind(StrEnum):
    """What a drift changes, in the order in which the world applies drifts."""

    COVARIATE = "covariate"
    MIX = "mix"
    CONCEPT = "concept"
    PRIOR = "prior"
    MISSING = "missing"
    UNIT = "unit"


AMOUNTS = (Cdr.MOC_DURATION, Cdr.MTC_DURATION, Cdr.DATA_VOLUME)
"""The columns with a unit: seconds or bytes."""


@dataclass(frozen=True)
class KindRule:
    """What the size of a kind means, its range (above `low`, up to `high`, not `excluded`), and its columns."""

    meaning: str
    low: float
    high: float
    excluded: float | None = None
    columns: tuple[Cdr, ...] = ()
    needs_column: bool = False


RULES: dict[DriftKind, KindRule] = {
    DriftKind.COVARIATE: KindRule("relative change of true usage", -1.0, 100.0, 0.0, CDR_USAGE),
    DriftKind.MIX: KindRule("share of subscribers replaced by heavy callers", 0.0, 1.0),
    DriftKind.CONCEPT: KindRule(
        "how far the relation of usage and churn is reversed; 0.5 removes it, 1 reverses it", 0.0, 1.0
    ),
    DriftKind.PRIOR: KindRule("shift of the intercept, in logits", -10.0, 10.0, 0.0),
    DriftKind.MISSING: KindRule("share of recorded values replaced by NULL", 0.0, 1.0, None, CDR_USAGE),
    DriftKind.UNIT: KindRule(
        "old units per new unit; 60 records minutes instead of seconds", 0.0, 1e9, 1.0, AMOUNTS, needs_column=True
    ),
}


@dataclass(frozen=True)
class Drift:
    """One drift: from the day `start` to the day `until`, both included; without `until` it does not end.

    `RULES` defines what `size` means for each kind. `column` is one column of the kind; None stands for all of them.
    `kind` and `column` may be given as text and are converted to their enums.

    Raises:
        InvalidInput: with every fault in `details`.
    """

    kind: DriftKind
    size: float
    start: date
    column: Cdr | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        faults = _faults(self.kind, self.size, self.start, self.column, self.until)
        if faults:
            raise InvalidInput("The drift is invalid; correct the faults listed.", details=faults)
        object.__setattr__(self, "kind", DriftKind(self.kind))
        object.__setattr__(self, "size", float(self.size))
        object.__setattr__(self, "column", None if self.column is None else Cdr(self.column))

    def active(self, day: date) -> bool:
        """Return whether the drift is active on a day."""
        return self.start <= day and (self.until is None or day <= self.until)

    def touches(self, column: Cdr) -> bool:
        """Return whether the drift affects a column; without a column it affects all columns of its kind."""
        return column in RULES[self.kind].columns and self.column in (None, column)


FIELDS = tuple(field.name for field in fields(Drift))


def drift_schema(day: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a drift, from `RULES`; `day` is the schema of its first and last day."""
    columns = dict.fromkeys(column for rule in RULES.values() for column in rule.columns)
    sizes = "; ".join(f"{kind}: {rule.meaning}" for kind, rule in RULES.items())
    properties = {
        "kind": {"type": "string", "enum": [*RULES]},
        "size": {"type": "number", "description": sizes},
        "start": dict(day),
        "column": {"type": "string", "enum": [*columns]},
        "until": {**day, "description": "the last day, included; without it the drift does not end"},
    }
    required = [field.name for field in fields(Drift) if field.default is MISSING]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def parse_drifts(items: Sequence[object]) -> tuple[Drift, ...]:
    """Read drifts from decoded JSON: objects with the fields of `Drift`, days in ISO form ("2025-03-15").

    Raises:
        InvalidInput: with every fault of every item in `details`, each with its position ("drifts[0]: …").
    """
    parsed: list[Drift] = []
    faults: list[str] = []
    for position, item in enumerate(items):
        try:
            parsed.append(_parse(item))
        except InvalidInput as error:
            faults += [f"drifts[{position}]: {detail}" for detail in error.details]
    if faults:
        raise InvalidInput("The drifts are invalid; correct the faults listed.", details=tuple(faults))
    return tuple(parsed)


def _parse(item: object) -> Drift:
    if not isinstance(item, Mapping):
        raise InvalidInput(details=(f"{item!r} is not an object with the fields {', '.join(FIELDS)}",))
    faults = [f"unknown field {name!r}; known: {', '.join(FIELDS)}" for name in item if name not in FIELDS]
    values: dict[str, Any] = {name: item.get(name) for name in FIELDS}
    values |= {name: _day(values[name]) for name in ("start", "until")}
    faults += _faults(**values)
    if faults:
        raise InvalidInput(details=tuple(faults))
    return Drift(**values)


def _day(value: object) -> object:
    """Return the day that ISO text names; return any other value unchanged, to be rejected by `_faults`."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _faults(kind: object, size: object, start: object, column: object, until: object) -> tuple[str, ...]:
    faults = [*_day_faults(start, until)]
    if not isinstance(kind, str) or kind not in set(DriftKind):
        return (f"unknown kind {kind!r}; known: {', '.join(DriftKind)}", *faults)
    rule = RULES[DriftKind(kind)]
    return (*_size_faults(kind, rule, size), *_column_faults(kind, rule, column), *faults)


def _day_faults(start: object, until: object) -> list[str]:
    faults = [] if _is_day(start) else [f"start must be a day such as 2025-03-15, not {start!r}"]
    if until is not None and not _is_day(until):
        faults.append(f"until must be a day such as 2025-03-31 or left out, not {until!r}")
    if isinstance(start, date) and isinstance(until, date) and not faults and until < start:
        faults.append(f"until ({until}) is before start ({start})")
    return faults


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _size_faults(kind: str, rule: KindRule, size: object) -> list[str]:
    if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
        return [f"size of {kind} ({rule.meaning}) must be a number, not {size!r}"]
    if rule.low < size <= rule.high and size != rule.excluded:
        return []
    limits = f"above {rule.low:g} and up to {rule.high:g}" + (
        "" if rule.excluded is None else f", not {rule.excluded:g}"
    )
    return [f"size of {kind} ({rule.meaning}) must be {limits}; it is {size:g}"]


def _column_faults(kind: str, rule: KindRule, column: object) -> list[str]:
    columns = ", ".join(rule.columns)
    if column is None:
        return [f"{kind} needs a column; known: {columns}"] if rule.needs_column else []
    if not rule.columns:
        return [f"{kind} takes no column; leave out {column!r}"]
    return [] if column in rule.columns else [f"unknown column {column!r} for {kind}; known: {columns}"]
