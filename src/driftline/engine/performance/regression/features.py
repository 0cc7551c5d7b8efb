"""Encodes features and predictions as the numbers that the loss models read. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import FloatArray, as_floats, categories, coded
from driftline.engine.results import PREDICTION
from driftline.engine.spec import Spec
from driftline.errors import SchemaMismatch

MISSING = "NML_missing_value"
"""The category of a missing value, named as in NannyML, since its alphabetical position decides ties."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureEncoding:
    """The number of each category of each categorical feature: from 1 on, in alphabetical order; 0 is unseen."""

    codes: Mapping[str, Mapping[str, int]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Number the categories in the reference; missing values are a category."""
        names = [column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL]
        return cls({name: _number_categories(frame[name]) for name in names})

    def __call__(self, frame: pd.DataFrame, spec: Spec) -> FloatArray:
        """Return (rows, features + 1): the spec's features in its order, then the prediction. NaN is missing.

        Infinite numbers count as missing. Raises SchemaMismatch for missing features.
        """
        missing = tuple(name for name in (*spec.features, PREDICTION) if name not in frame.columns)
        if missing:
            raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
        encoded = [self._encode(frame[name]) for name in (*spec.features, PREDICTION)]
        return np.column_stack(encoded)

    def _encode(self, column: "pd.Series[Any]") -> FloatArray:
        if column.name not in self.codes:
            raw = as_floats(column)
            return np.where(np.isfinite(raw), raw, np.nan)
        codes = self.codes[str(column.name)]
        positions, texts = coded(column)
        numbers = [*(codes.get(text, 0) for text in texts), codes.get(MISSING, 0)]
        return np.array(numbers, dtype=np.float64)[positions]

    def categorical(self, spec: Spec) -> list[int]:
        """Return the positions of categorical features."""
        return [position for position, name in enumerate(spec.features) if name in self.codes]

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {name: list(codes) for name, codes in self.codes.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls({name: _number(texts) for name, texts in state.items()})


def _number_categories(column: "pd.Series[Any]") -> dict[str, int]:
    counted = categories(column)
    return _number(sorted({*counted.counts, *([MISSING] if counted.missing else [])}))


def _number(texts: list[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(texts, start=1)}
