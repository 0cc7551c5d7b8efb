"""Data quality faults in plain words with numbers. No I/O here."""

from collections.abc import Callable

from driftline.engine.number_format import format_distinct, percent
from driftline.engine.results import Quality, Result


def describe_fault(result: Result) -> str:
    """Return in words what a data quality result beyond its bound shows."""
    return _SENTENCES[Quality(result.method)](result)


def _missing(result: Result) -> str:
    return f"{result.subject} is missing in {percent(result.value or 0.0)} of rows, {_more(result)}"


def _unseen(result: Result) -> str:
    return f"{result.subject} has a category that the reference lacks in {percent(result.effect or 0.0)} of rows"


def _outside(result: Result) -> str:
    return f"{result.subject} is outside the reference's range in {percent(result.value or 0.0)} of rows"


def _duplicates(result: Result) -> str:
    limit = "" if result.bounds.upper is None else f", above its bound {percent(result.bounds.upper)}"
    return f"{percent(result.value or 0.0)} of rows are duplicates{limit}"


def _row_count(result: Result) -> str:
    value, bounds = result.value or 0.0, result.bounds
    if bounds.lower is not None and value < bounds.lower:
        return f"{value:.0f} rows are fewer than the bound {bounds.lower:.1f}"
    return f"{value:.0f} rows are more than the bound {bounds.upper or 0.0:.1f}"


def _freshness(result: Result) -> str:
    age, bound = format_distinct(result.value or 0.0, result.bounds.upper or 0.0)
    return f"the newest row is {age} s older than the chunk's end, above the bound {bound} s"


def _more(result: Result) -> str:
    if result.bounds.upper is None:
        return f"{100 * (result.effect or 0.0):.3g} percentage points more than in the reference"
    return f"above its bound {percent(result.bounds.upper)}"


_SENTENCES: dict[Quality, Callable[[Result], str]] = {
    Quality.MISSING_VALUES: _missing,
    Quality.UNSEEN_CATEGORIES: _unseen,
    Quality.OUT_OF_RANGE: _outside,
    Quality.DUPLICATES: _duplicates,
    Quality.ROW_COUNT: _row_count,
    Quality.FRESHNESS: _freshness,
}
