"""Injected drift: its names, sizes and days, checked. No I/O here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput


class DriftKind(StrEnum):
    """What drifts, in the order in which the world applies it."""

    COVARIATE = "covariate"
    MIX = "mix"
    CONCEPT = "concept"
    PRIOR = "prior"
    MISSING = "missing"
    UNIT = "unit"


AMOUNTS = (Cdr.MOC_DURATION, Cdr.MTC_DURATION, Cdr.DATA_VOLUME)
"""The columns that have a unit: seconds and bytes."""


@dataclass(frozen=True)
class Rule:
    """What a kind's size means and may be (above `low`, up to `high`, not `but`), and which columns it takes."""

    means: str
    low: float
    high: float
    but: float | None = None
    columns: tuple[Cdr, ...] = ()
    needs_column: bool = False


RULES: dict[DriftKind, Rule] = {
    DriftKind.COVARIATE: Rule("relative change of true usage", -1.0, 100.0, 0.0, CDR_USAGE),
    DriftKind.MIX: Rule("share of subscribers replaced by heavy callers", 0.0, 1.0),
    DriftKind.CONCEPT: Rule("way of the coefficients to their opposite, 0.5 leaves no relation", 0.0, 1.0),
    DriftKind.PRIOR: Rule("shift of the intercept, in logits", -10.0, 10.0, 0.0),
    DriftKind.MISSING: Rule("share of recorded values that are NULL", 0.0, 1.0, None, CDR_USAGE),
    DriftKind.UNIT: Rule("old units in one new unit, 60 for minutes", 0.0, 1e9, 1.0, AMOUNTS, needs_column=True),
}


@dataclass(frozen=True)
class Drift:
    """One drift: from the day `start` to the day `until`, both included; without `until`, for good.

    `size` means what `RULES` says for the kind. `column` is a column of `CDR_USAGE`; None is every column where the
    kind takes columns. Text is taken for `kind` and `column` and turned into their enums.

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
            raise InvalidInput("The drift does not fit; correct the faults listed.", details=faults)
        object.__setattr__(self, "kind", DriftKind(self.kind))
        object.__setattr__(self, "size", float(self.size))
        object.__setattr__(self, "column", None if self.column is None else Cdr(self.column))

    def active(self, day: date) -> bool:
        """Say whether the drift is there on that day."""
        return self.start <= day and (self.until is None or day <= self.until)

    def touches(self, column: Cdr) -> bool:
        """Say whether the drift is in that column (one without a column is in all that its kind takes)."""
        return column in RULES[self.kind].columns and self.column in (None, column)


def parse_drifts(items: Sequence[object]) -> tuple[Drift, ...]:
    """Read drifts from decoded JSON: objects with the fields of `Drift`, days in ISO form ("2025-03-15").

    Raises:
        InvalidInput: with every fault of every item in `details`, each with its place ("drifts[0]: …").
    """
    parsed: list[Drift] = []
    faults: list[str] = []
    for place, item in enumerate(items):
        try:
            parsed.append(_parse(item))
        except InvalidInput as error:
            faults += [f"drifts[{place}]: {detail}" for detail in error.details]
    if faults:
        raise InvalidInput("The drifts do not fit; correct the faults listed.", details=tuple(faults))
    return tuple(parsed)


def _parse(item: object) -> Drift:
    if not isinstance(item, Mapping):
        raise InvalidInput(details=(f"{item!r} is no object with the fields {_names()}",))
    known = [field.name for field in fields(Drift)]
    faults = [f"unknown field {name!r}; known: {_names()}" for name in item if name not in known]
    values: dict[str, Any] = {name: item.get(name) for name in known}
    values |= {name: _day(values[name]) for name in ("start", "until")}
    faults += _faults(**values)
    if faults:
        raise InvalidInput(details=tuple(faults))
    return Drift(**values)


def _names() -> str:
    return ", ".join(field.name for field in fields(Drift))


def _day(value: object) -> object:
    """Turn ISO text into a day; leave the rest to be refused."""
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


def _size_faults(kind: str, rule: Rule, size: object) -> list[str]:
    if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
        return [f"size of {kind} ({rule.means}) must be a number, not {size!r}"]
    if rule.low < size <= rule.high and size != rule.but:
        return []
    reach = f"above {rule.low:g} and up to {rule.high:g}" + ("" if rule.but is None else f", not {rule.but:g}")
    return [f"size of {kind} ({rule.means}) must be {reach}; it is {size:g}"]


def _column_faults(kind: str, rule: Rule, column: object) -> list[str]:
    known = ", ".join(rule.columns)
    if column is None:
        return [f"{kind} needs a column; known: {known}"] if rule.needs_column else []
    if not rule.columns:
        return [f"{kind} takes no column; leave out {column!r}"]
    return [] if column in rule.columns else [f"unknown column {column!r} for {kind}; known: {known}"]
