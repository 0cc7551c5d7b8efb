"""Reads the watched features row by row for the multivariate methods. No I/O here."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import FloatArray, IntArray, as_floats, coded
from driftline.engine.spec import ColumnSpec, Spec


def watched_columns(spec: Spec) -> tuple[ColumnSpec, ...]:
    """Return the watched features, in the spec's order."""
    return tuple(column for column in spec.columns if column.watched)


def read_numbers(column: "pd.Series[Any]") -> FloatArray:
    """Return a continuous column in row order, NaN where a value is missing or infinite."""
    raw = as_floats(column)
    return np.where(np.isfinite(raw), raw, np.nan)


def read_categories(column: "pd.Series[Any]") -> tuple[IntArray, list[str]]:
    """Return a categorical column in row order as positions in a list of texts; -1 where a value is missing.

    Values of the same category that are stored differently (1 and "1") have different positions with the same text.
    """
    return coded(column)


def map_categories(
    codes: IntArray, texts: list[str], values: Mapping[str, float], unseen: float, missing: float
) -> FloatArray:
    """Return the value of each row's category; `unseen` for a category without one, `missing` for a missing value."""
    return np.array([*(values.get(text, unseen) for text in texts), missing])[codes]
