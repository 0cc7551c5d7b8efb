"""Features and prediction as the numbers that the loss models read. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.columns import FloatArray, as_floats, categories, coded
from driftline.engine.results import PREDICTION
from driftline.engine.spec import Spec
from driftline.errors import SchemaMismatch

MISSING = "NML_missing_value"
"""The category of a missing value; NannyML's name for it, since its place among the categories decides on ties."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """The number of each category of each categorical feature: from 1 on, in the order of their texts; 0 is unseen."""

    codes: Mapping[str, Mapping[str, int]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Number the categories in the reference; missing values are one of their own."""
        names = [column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL]
        return cls({name: _numbered(frame[name]) for name in names})

    def __call__(self, frame: pd.DataFrame, spec: Spec) -> FloatArray:
        """Return (rows, features + 1): the spec's features in its order, then the prediction. NaN is missing.

        Infinite numbers count as missing. Features that are not there are a SchemaMismatch.
        """
        missing = tuple(name for name in (*spec.features, PREDICTION) if name not in frame.columns)
        if missing:
            raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
        encoded = [self._encoded(frame[name]) for name in (*spec.features, PREDICTION)]
        return np.column_stack(encoded)

    def _encoded(self, column: "pd.Series[Any]") -> FloatArray:
        if column.name not in self.codes:
            raw = as_floats(column)
            return np.where(np.isfinite(raw), raw, np.nan)
        codes = self.codes[str(column.name)]
        places, texts = coded(column)
        numbers = [*(codes.get(text, 0) for text in texts), codes.get(MISSING, 0)]
        return np.array(numbers, dtype=np.float64)[places]

    def categorical(self, spec: Spec) -> list[int]:
        """Return the positions of categorical features."""
        return [place for place, name in enumerate(spec.features) if name in self.codes]

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {name: list(codes) for name, codes in self.codes.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls({name: _in_turn(texts) for name, texts in state.items()})


def _numbered(column: "pd.Series[Any]") -> dict[str, int]:
    found = categories(column)
    return _in_turn(sorted({*found.counts, *([MISSING] if found.missing else [])}))


def _in_turn(texts: list[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(texts, start=1)}
