"""Numbers stored as text: their notation, and which values are not numbers. No I/O here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pac

from driftline.backtesting.input.values.missing import MISSING
from driftline.engine.frames.columns import BoolArray, FloatArray, category

STRAY_SHARE = 0.05
"""A column holds numbers if at most this share of its values is something else."""
STRAY_WORDS = 5
"""Or if at most this many distinct words make up a larger share, but not more than half, of the values."""
_MANY = 50
"""With such frequent words, a column holds numbers only if it has more distinct numbers than this."""
_SAMPLE = 1_000
_NEARLY_ALL, _PLAIN_SHARE = 0.9, 0.2


class Notation(StrEnum):
    """How the numbers of a column are written."""

    PLAIN = "numbers"
    PERCENT = "numbers with percent signs"
    THOUSANDS = "numbers with separated thousands"
    DECIMAL_COMMA = "numbers with decimal commas"
    DURATION = "durations, in seconds"


_BLANKS = r"\s'’\x{00A0}\x{202F}"
"""Separators of thousands other than comma and point: spaces (also non-breaking ones) and apostrophes."""
_SIGN = r"[+-]?\s?[$€£¥]?\s?"
_FRACTION = r"\d+\.?\d*|\.\d+"
_PATTERNS = {
    Notation.PLAIN: r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$",
    Notation.PERCENT: rf"^[+-]?({_FRACTION})\s?%$",
    Notation.THOUSANDS: rf"^{_SIGN}([1-9]\d{{0,2}}([,{_BLANKS}]\d{{3}})+(\.\d*)?|{_FRACTION})\s?[$€£¥]?$",
    Notation.DECIMAL_COMMA: rf"^{_SIGN}(\d{{1,3}}([.{_BLANKS}]\d{{3}})+(,\d*)?|\d+(,\d*)?)\s?[$€£¥]?$",
    Notation.DURATION: r"^-?(\d+ days?,? ?)?[+-]?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$|^-?\d+ days?$",
}
_REMOVED = {
    Notation.PERCENT: r"[%\s]",
    Notation.THOUSANDS: rf"[$€£¥,{_BLANKS}]",
    Notation.DECIMAL_COMMA: rf"[$€£¥.{_BLANKS}]",
}
_CODE = r"^[+-]?0\d+$"
"""Digits with leading zeros: a code such as 007, which would lose them as a number."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberText:
    """A text column read in one notation: the number of each row (else NaN), and the rows that have other words."""

    notation: Notation
    values: FloatArray
    stray: BoolArray

    @classmethod
    def of(cls, column: "pd.Series[Any]", notation: Notation) -> "NumberText":
        """Read a text column; nulls and the words of `MISSING` are missing values."""
        codes, texts = _distinct(column)
        values, stray = _parse(texts, notation)
        return cls(notation, np.append(values, np.nan)[codes], np.append(stray, False)[codes])

    @property
    def share(self) -> float:
        """The share of values that are not numbers."""
        count = int(np.sum(~np.isnan(self.values))) + int(self.stray.sum())
        return float(self.stray.sum()) / count if count else 1.0


def is_text(column: "pd.Series[Any]") -> bool:
    """Return whether a column may hold numbers as text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.api.types.infer_dtype(column.cat.categories) == "string"
    return pd.api.types.infer_dtype(column, skipna=True) == "string"


def number_text(column: "pd.Series[Any]") -> NumberText | None:
    """Return the numbers of a text column, of which a small share may be other words; None if it does not hold numbers.

    Codes with leading zeros are not numbers.
    """
    sample = _sample(column)
    if not len(sample):
        return None
    notation = max(Notation, key=lambda kind: _matching(sample, kind))
    if _matching(sample, notation) < 1 / 2 or _has_codes(sample):
        return None
    text = NumberText.of(column, notation)
    return text if _is_numbers(column, text) else None


def _is_numbers(column: "pd.Series[Any]", text: NumberText) -> bool:
    """Return whether few enough values are not numbers; see `STRAY_SHARE` and `STRAY_WORDS`."""
    if text.share <= STRAY_SHARE:
        return True
    words = column[text.stray].unique()
    distinct = np.unique(text.values[~np.isnan(text.values)])
    return text.share <= 1 / 2 and len(words) <= STRAY_WORDS and len(distinct) > _MANY


def as_arrow(texts: Sequence[str]) -> pa.Array:
    """Return texts as Arrow stores them; half of a character (a lone surrogate) becomes a question mark."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array(list(map(category, texts)), pa.large_string())


def _sample(column: "pd.Series[Any]") -> pa.Array:
    """Return a sample of the texts from all rows at even distances, trimmed, without words for missing values."""
    texts = column[~column.isin(list(MISSING)).to_numpy()].dropna() if len(column) <= _SAMPLE else _thin_out(column)
    return _uniform(as_arrow(texts.astype(object).tolist()))


def _thin_out(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return some texts of a long column; the first ones that are not null where most are null."""
    texts = column.iloc[:: max(1, len(column) // _SAMPLE)]
    if texts.isna().mean() > 1 / 2:
        texts = column.dropna().iloc[: 5 * _SAMPLE]
    return texts[~texts.isin(list(MISSING)).to_numpy()].dropna()


def _matching(texts: pa.Array, notation: Notation) -> float:
    """Return the share of texts in a notation."""
    return float(pac.mean(pac.match_substring_regex(texts, _PATTERNS[notation])).as_py() or 0.0)


def _has_codes(texts: pa.Array) -> bool:
    return bool(pac.any(pac.match_substring_regex(texts, _CODE)).as_py())


def _distinct(column: "pd.Series[Any]") -> tuple[Any, pa.Array]:
    """Return the code of each row, -1 where it is missing, and the distinct texts, trimmed."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, texts = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, texts = pd.factorize(column)
    return np.asarray(codes, dtype=np.int64), _uniform(as_arrow(list(texts)))


def _uniform(texts: pa.Array) -> pa.Array:
    """Return trimmed texts, with `-` for the minus sign U+2212 and for the parentheses of accounting."""
    hyphens = pac.replace_substring(pac.utf8_trim_whitespace(texts), "−", "-")
    return pac.replace_substring_regex(hyphens, r"^\(([$€£¥]?\d[\d.,]*)\)$", r"-\1")


def looks_like_numbers(column: "pd.Series[Any]") -> bool:
    """Return whether part of a column's texts are numbers, or nearly all begin with a digit after at most one sign."""
    sample = _sample(column)
    begins = pac.mean(pac.match_substring_regex(sample, r"^[<>~+$€£¥-]?\s?\d")).as_py() or 0.0
    return bool(begins > _NEARLY_ALL or _matching(sample, Notation.PLAIN) >= _PLAIN_SHARE)


def _parse(texts: pa.Array, notation: Notation) -> tuple[FloatArray, BoolArray]:
    """Return the number of each text, NaN for others, and which texts are neither numbers nor missing."""
    fits = pac.match_substring_regex(texts, _PATTERNS[notation])
    values = np.full(len(texts), np.nan)
    numbers = np.asarray(fits, dtype=bool)
    values[numbers] = _numbers(texts.filter(fits), notation)
    missing = np.asarray(pac.is_in(texts, value_set=pa.array(MISSING, pa.large_string())), dtype=bool)
    return values, ~numbers & ~missing


def _numbers(texts: pa.Array, notation: Notation) -> FloatArray:
    """Return texts, all of them numbers in a notation, as floats."""
    if notation is Notation.DURATION:
        return np.array([_seconds(text) for text in texts.to_pylist()], dtype=np.float64)
    if notation is not Notation.PLAIN:
        texts = pac.replace_substring_regex(texts, _REMOVED[notation], "")
    if notation is Notation.DECIMAL_COMMA:
        texts = pac.replace_substring(texts, ",", ".")
    texts = pac.replace_substring_regex(texts, r"^\+", "")
    values = np.asarray(pac.cast(texts, pa.float64()), dtype=np.float64)
    return values / 100 if notation is Notation.PERCENT else values


def _seconds(text: str) -> float:
    """Return a duration such as `1 days 02:00:00` or a time of day such as 14:30 in seconds."""
    if re.search(r":\d{2}:", text) is None and ":" in text:
        text += ":00"
    return float(pd.Timedelta(text).total_seconds())
