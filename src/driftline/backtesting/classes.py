"""Labels and predictions of a binary model as 0 and 1, whatever words stand for them. No I/O here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray, coded
from driftline.errors import InvalidInput

WORDS: Mapping[str, float] = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "positive", "pos"), 1.0),
    **dict.fromkeys(("0", "false", "f", "no", "n", "negative", "neg", "-1"), 0.0),
}
"""Words, in any case, that stand for a class by themselves; -1 is 0 where 1 is the other class."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Which texts are class 1 and which class 0; `known` in lower case."""

    known: Mapping[str, float]

    @classmethod
    def of(cls, texts: Iterable[str], positive: str | None) -> "Classes":
        """Find out from all distinct values; those that cannot be told apart are an InvalidInput."""
        seen = sorted({_plain(text) for text in texts})
        if positive is not None:
            return cls._of_positive(seen, _plain(positive))
        strange = [text for text in seen if text not in WORDS]
        if not strange:
            return cls(WORDS)
        msg = (
            f"label and prediction hold {_listed(seen)}, and it is not said which is class 1; say it with "
            f"--positive {seen[-1]!r} (Python: positive=), or --problem multiclass if these are several classes"
        )
        raise InvalidInput(msg)

    @classmethod
    def _of_positive(cls, seen: list[str], positive: str) -> "Classes":
        others = [text for text in seen if text != positive]
        if positive not in seen or len(others) > 1:
            msg = f"--positive {positive!r} must be one of two values; label and prediction hold {_listed(seen)}"
            raise InvalidInput(msg)
        return cls({positive: 1.0} | dict.fromkeys(others, 0.0))

    def numbers(self, series: "pd.Series[Any]") -> FloatArray:
        """Return 0, 1 or NaN (missing) for each row; a value that the reference did not have is an InvalidInput."""
        codes, texts = coded(series)
        values = np.array([self._value(series.name, text) for text in texts] + [np.nan])
        found: FloatArray = values[codes]
        return found

    def _value(self, column: Any, text: str) -> float:
        value = self.known.get(_plain(text))
        if value is None:
            msg = f"column {column!r} holds {text!r}, which is neither class of the reference: {_listed(self.known)}"
            raise InvalidInput(msg)
        return value


def is_binary(texts: Iterable[str]) -> bool:
    """Say whether these distinct values can be two classes: two of them at most."""
    return len({_plain(text) for text in texts}) <= 2


def _plain(text: str) -> str:
    return text.strip().lower()


def _listed(texts: Iterable[str]) -> str:
    shown = [repr(text) for text in texts]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
