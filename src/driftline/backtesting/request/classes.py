"""Labels and predictions of a binary model as 0 and 1, whatever words stand for them. No I/O here."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.options import OptionStyle, python_option
from driftline.engine.columns import FloatArray, coded
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
"""Words, in any case, that stand for class 0 and class 1 by themselves; a column holds words of one pair only."""
ZEROS, ONES = (frozenset(words) for words in zip(*PAIRS, strict=True))
"""Words that stand for class 0, and for class 1."""

_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Classes:
    """Which texts (as `plain` writes them) are class 1 and which class 0, in each column of the data."""

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
        """Infer the classes from each column's distinct texts; raise InvalidInput where class 1 cannot be inferred.

        `likely` returns the text whose rows have the higher scores, if there is one; the error proposes it.
        """
        words = {name: sorted({plain(text) for text in values}) for name, values in texts.items()}
        if positive is not None:
            return cls._of_positive(words, plain(positive), option)
        pairs = {name: _pair(values) for name, values in words.items()}
        if None not in pairs.values():
            return cls({name: pair for name, pair in pairs.items() if pair is not None}, option)
        every = _together(words)
        cure = (
            f"which of them is class 1 is unknown; pass {_either(every, option, likely())}"
            if len(every) <= 2
            else f"these are not two classes of one pair of words; correct them ({option('positive')} needs two values)"
        )
        msg = (
            f"label and prediction hold {_listed(every)}, and {cure}, or pass {option('problem', 'multiclass')} "
            "if there are several classes"
        )
        raise InvalidInput(msg)

    @classmethod
    def _of_positive(cls, words: Mapping[str, list[str]], positive: str, option: OptionStyle) -> "Classes":
        every = _together(words)
        if positive in every and len(every) <= 2:
            both = {text: float(text == positive) for text in every}
            return cls(dict.fromkeys(words, both), option)
        pairs = {name: _pair(texts) for name, texts in words.items()}
        if None in pairs.values() or positive not in {*every, "true", "false"} or positive not in _SIGNS:
            msg = (
                f"{option('positive', positive)} must be one of two values; label and prediction hold {_listed(every)}"
            )
            raise InvalidInput(msg)
        one = _SIGNS[positive]
        signs = {name: (pair or {}).items() for name, pair in pairs.items()}
        return cls({name: {text: float(sign == one) for text, sign in pair} for name, pair in signs.items()}, option)

    def numbers(self, series: "pd.Series[Any]") -> FloatArray:
        """Return 0, 1 or NaN (missing) for each row; a value that the reference did not have is an InvalidInput."""
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

    def is_one(self, text: str) -> bool:
        """Return whether a text is class 1 in any column."""
        return any(classes.get(plain(text)) == 1.0 for classes in self.values.values())


_SIGNS: Mapping[str, float] = {word: float(sign) for pair in PAIRS for sign, word in enumerate(pair)}


def _pair(texts: Collection[str]) -> Mapping[str, float] | None:
    """Return the first pair of words that has all of these texts (without any text, all words), as 0 and 1."""
    if not texts:
        return _SIGNS
    return next(({zero: 0.0, one: 1.0} for zero, one in PAIRS if set(texts) <= {zero, one}), None)


def _together(words: Mapping[str, Iterable[str]]) -> list[str]:
    return sorted({text for texts in words.values() for text in texts})


def is_binary(texts: Mapping[str, Iterable[str]]) -> bool:
    """Return whether each column's distinct values can be two classes: two in all, or a known pair in each."""
    words = {name: sorted({plain(text) for text in values}) for name, values in texts.items()}
    return len(_together(words)) <= 2 or all(_pair(values) is not None for values in words.values())


def plain(text: str) -> str:
    """Write a value as values are compared: in lower case, without blanks around it, a whole number without a point."""
    lowered = text.strip().lower()
    whole = _WHOLE.fullmatch(lowered)
    return str(int(whole[1])) if whole else lowered


def _either(texts: list[str], option: OptionStyle, likely: str | None) -> str:
    """Return the options to choose from; scores that belong to one of them are a hint, not a choice."""
    if likely is None:
        return " or ".join(option("positive", text) for text in texts)
    others = [option("positive", text) for text in texts if text != likely]
    words = f"{option('positive', likely)} if the score is the probability of {likely!r}, whose rows score higher"
    return " (else ".join([words, *others]) + (")" if others else "")


def _listed(texts: Iterable[str]) -> str:
    shown = [repr(text) for text in texts]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
