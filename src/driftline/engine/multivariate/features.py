"""Features row by row, as the multivariate methods read them. No I/O here."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray, IntArray, as_floats, coded
from driftline.engine.spec import ColumnSpec, Spec


def together(spec: Spec) -> tuple[ColumnSpec, ...]:
    """Return the features that are looked at together: those that are watched, in the spec's order."""
    return tuple(column for column in spec.columns if column.watched)


def numbers_in_rows(column: "pd.Series[Any]") -> FloatArray:
    """Return a continuous column in the order of its rows, NaN where a value is missing or infinite."""
    raw = as_floats(column)
    return np.where(np.isfinite(raw), raw, np.nan)


def texts_in_rows(column: "pd.Series[Any]") -> tuple[IntArray, list[str]]:
    """Return a categorical column as places in a list of texts, in the order of its rows; -1 where it is missing.

    Values that are the same category though stored differently have places of their own and the same text.
    """
    return coded(column)


def looked_up(codes: IntArray, texts: list[str], values: Mapping[str, float], unseen: float, none: float) -> FloatArray:
    """Return what `values` has for each row of `texts_in_rows`: `unseen` for other texts, `none` for missing ones."""
    return np.array([*(values.get(text, unseen) for text in texts), none])[codes]
