"""Detection of columns that only advance with time, so that every chunk differs: dates and counters. No I/O here."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pac

from driftline.backtesting.input.values.epochs import are_dates_in_digits
from driftline.backtesting.input.values.number_text import as_arrow, is_text
from driftline.engine.frames.columns import FloatArray, as_floats

_DAY_TIME = r"([T ]\d{1,2}:.*)?$"
_DATES = (
    rf"^(19|20)\d\d[-/]\d{{1,2}}([-/]\d{{1,2}})?{_DAY_TIME}",  # 2026-01-31, 2026-01
    rf"^\d{{1,2}}([-/.])\d{{1,2}}([-/.])(19|20)\d\d{_DAY_TIME}",  # 31.01.2026
    rf"^\d{{1,2}}/\d{{1,2}}/\d\d{_DAY_TIME}",  # 1/31/26
    r"^(19|20)\d\d-?[QW]\d{1,2}$",  # 2026-Q1, 2026W05
    rf"^(\d{{1,2}}[ -][A-Z][a-z]{{2,8}}[ -]|[A-Z][a-z]{{2,8}} \d{{1,2}},? |[A-Z][a-z]{{2,8}} )(19|20)\d\d{_DAY_TIME}",
)
"""Dates as text: ISO 8601, day or month first, quarters and weeks, names of months."""
_SHARE = 0.95
_SAMPLE = 1_000
_SECTIONS = 20
"""The reference is divided into this many sections of time."""
_STEPS = 4
"""The medians of a counter's sections have at least this many distinct values."""


def moving_reason(column: "pd.Series[Any]") -> str | None:
    """Return why a column only advances with time, else None; its rows must be sorted by event time."""
    if column.dtype.kind == "M":
        return "dates and times always advance"
    if is_text(column):
        example = _date_in_text(column)
        return example and f"dates always advance, here in text such as {example!r}"
    if pd.api.types.is_bool_dtype(column.dtype) or column.dtype.kind not in "iuf":
        return None
    return _reason_of_numbers(as_floats(_sample(column)))


def _sample(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return rows at even distances."""
    positions = np.unique(np.linspace(0, len(column) - 1, min(len(column), _SAMPLE)).astype(np.int64))
    return column.iloc[positions]


def _date_in_text(column: "pd.Series[Any]") -> str | None:
    """Return the first date of a text column, if nearly all of its texts are dates."""
    texts = _sample(column).dropna().astype(object).tolist()
    trimmed = pac.utf8_trim_whitespace(as_arrow(texts))
    dates = np.zeros(len(texts), dtype=bool)
    for pattern in _DATES:
        dates |= np.asarray(pac.match_substring_regex(trimmed, pattern), dtype=bool)
    return str(texts[int(np.argmax(dates))]) if len(texts) and dates.mean() >= _SHARE else None


def _reason_of_numbers(values: FloatArray) -> str | None:
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    if are_dates_in_digits(values):
        return f"dates always advance, here in digits such as {values[0]:.0f}"
    if _only_rises(values):
        return "it only grows with time, as an index or a counter does"
    return "it only falls with time, as a countdown does" if _only_rises(-values) else None


def _only_rises(values: FloatArray) -> bool:
    """Return whether each section of time lies above the one before, apart from 2 % of its values at either end."""
    if len(values) < 2 * _SECTIONS:
        return False
    sections = [np.sort(section) for section in np.array_split(values, _SECTIONS)]
    cuts = [len(section) // 50 for section in sections]
    lowest = np.array([section[cut] for section, cut in zip(sections, cuts, strict=True)])
    highest = np.array([section[-1 - cut] for section, cut in zip(sections, cuts, strict=True)])
    middles = {float(section[len(section) // 2]) for section in sections}
    return bool(np.all(highest[:-1] <= lowest[1:])) and len(middles) >= _STEPS
