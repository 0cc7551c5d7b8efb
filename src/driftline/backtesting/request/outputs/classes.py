"""Labels and predictions of a binary model as 0 and 1, inferred from the words for them. No I/O here."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.options import OptionStyle, python_option
from driftline.engine.frames.columns import FloatArray, coded
from driftline.errors import InvalidInput

PAIRS = (
    ("0", "1"),
    ("-1", "1"),
    ("false", "true"),
    ("f", "t"),
    ("no", "yes"),
    ("n", "y"),
    ("negative", "positive"),
    ("neg", "pos"),
)
"""Words, in any case, that denote class 0 and class 1; a column holds words of one pair only."""
NEGATIVE_WORDS, POSITIVE_WORDS = (frozenset(words) for words in zip(*PAIRS, strict=True))
"""Words that denote class 0, and class 1."""

_INTEGER = re.compile(r"([+-]?\d+)(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Classes:
    """Which texts (as returned by `plain`) are class 1 and which class 0, in each column of the data."""

    values: Mapping[str, Mapping[str, float]]
    option: OptionStyle = python_option

    @classmethod
    def of(
        cls,
        texts: Mapping[str, Iterable[str]],
        positive: str | None,
        option: OptionStyle = python_option,
        likely: Callable[[], str | None] = lambda: None,
    ) -> "Classes":
        """Infer the classes from each column's distinct texts; raise InvalidInput where class 1 is ambiguous.

        `likely` returns the text whose rows have clearly higher scores, or None; the error message proposes it.
        """
        words = {name: sorted({plain(text) for text in values}) for name, values in texts.items()}
        if positive is not None:
            return cls._with_positive(words, plain(positive), option)
        pairs = {name: _pair(values) for name, values in words.items()}
        if None not in pairs.values():
            return cls({name: pair for name, pair in pairs.items() if pair is not None}, option)
        distinct = _distinct(words)
        cure = (
            f"which of them is class 1 is unknown; pass {_positive_options(distinct, option, likely())}"
            if len(distinct) <= 2
            else f"these are not two classes of one pair of words; correct them ({option('positive')} needs two values)"
        )
        msg = (
            f"label and prediction hold {_listed(distinct)}, and {cure}, or pass {option('problem', 'multiclass')} "
            "if there are several classes"
        )
        raise InvalidInput(msg)

    @classmethod
    def _with_positive(cls, words: Mapping[str, list[str]], positive: str, option: OptionStyle) -> "Classes":
        """Return the classes where `positive` is class 1, in columns with two values in all or a known pair in each."""
        distinct = _distinct(words)
        if positive in distinct and len(distinct) <= 2:
            both = {text: float(text == positive) for text in distinct}
            return cls(dict.fromkeys(words, both), option)
        pairs = {name: _pair(texts) for name, texts in words.items()}
        if None in pairs.values() or positive not in {*distinct, "true", "false"} or positive not in _CLASS_OF_WORD:
            hold = f"label and prediction hold {_listed(distinct)}"
            msg = f"{option('positive', positive)} must be one of two values; {hold}"
            raise InvalidInput(msg)
        number = _CLASS_OF_WORD[positive]
        values = {
            name: {text: float(value == number) for text, value in (pair or {}).items()} for name, pair in pairs.items()
        }
        return cls(values, option)

    def numbers(self, series: "pd.Series[Any]") -> FloatArray:
        """Return 0, 1 or NaN (missing) for each row; raise InvalidInput for a value that the reference lacks."""
        classes = self.values[str(series.name)]
        codes, texts = coded(series)
        numbers = np.array([classes.get(plain(text), np.nan) for text in texts] + [np.nan])
        rows: FloatArray = numbers[codes]
        unknown = (codes >= 0) & np.isnan(rows)
        if unknown.any():
            text = texts[codes[unknown][0]]
            msg = (
                f"column {series.name!r} holds {text!r}, which is neither class of the reference: {_listed(classes)}; "
                f"correct it, or pass {self.option('problem', 'multiclass')} if there are more than two classes"
            )
            raise InvalidInput(msg)
        return rows

    def is_positive(self, text: str) -> bool:
        """Return whether a text is class 1 in any column."""
        return any(classes.get(plain(text)) == 1.0 for classes in self.values.values())


_CLASS_OF_WORD: Mapping[str, float] = {word: float(number) for pair in PAIRS for number, word in enumerate(pair)}


def _pair(texts: Collection[str]) -> Mapping[str, float] | None:
    """Return the first pair of words that contains all of these texts, as 0 and 1; all words if there are no texts."""
    if not texts:
        return _CLASS_OF_WORD
    pair = next((words for words in PAIRS if set(texts) <= set(words)), None)
    return pair and {word: float(number) for number, word in enumerate(pair)}


def _distinct(words: Mapping[str, Iterable[str]]) -> list[str]:
    return sorted({text for texts in words.values() for text in texts})


def is_binary(texts: Mapping[str, Iterable[str]]) -> bool:
    """Return whether each column's distinct values can be two classes: two in all, or a known pair in each."""
    words = {name: sorted({plain(text) for text in values}) for name, values in texts.items()}
    return len(_distinct(words)) <= 2 or all(_pair(values) is not None for values in words.values())


def plain(text: str) -> str:
    """Return a value in the form in which values are compared: trimmed, in lower case, an integer without a point."""
    lowered = text.strip().lower()
    integer = _INTEGER.fullmatch(lowered)
    return str(int(integer[1])) if integer else lowered


def _positive_options(texts: list[str], option: OptionStyle, likely: str | None) -> str:
    """Return the options to choose from; the class with the higher scores comes first, as a hint."""
    if likely is None:
        return " or ".join(option("positive", text) for text in texts)
    alternatives = [option("positive", text) for text in texts if text != likely]
    words = f"{option('positive', likely)} if the score is the probability of {likely!r}, whose rows score higher"
    return " (else ".join([words, *alternatives]) + (")" if alternatives else "")


def _listed(texts: Iterable[str]) -> str:
    quoted = [repr(text) for text in texts]
    return ", ".join(quoted[:5]) + (f" and {len(quoted) - 5} more" if len(quoted) > 5 else "")
