"""Which of the remaining columns are features, and how each one's values are compared. No I/O here."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.request.request import Inference
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import ColumnKind

FEW = 10
"""Whole numbers with at most this many distinct values in the reference are taken for categories."""
MANY = 50
ROWS_A_VALUE = 20
"""Text with more than `MANY` distinct values, and fewer rows of each than this on average, is left out unless named."""
_SAMPLE = 2_000


def features_of(request: ResolvedRequest, reference: pd.DataFrame) -> tuple[dict[str, ColumnKind], list[Inference]]:
    """Return each feature and its kind, and what of it was inferred from the reference's rows."""
    inferred: list[Inference] = []
    names = request.features
    if names is None:
        remaining = [str(name) for name in reference.columns if name not in request.roles]
        left_out = {name: why for name in remaining if (why := _unfit(reference[name], request))}
        names = tuple(name for name in remaining if name not in left_out)
        inferred.append(Inference("features", ", ".join(names) or "none", "all columns that have no other role"))
        inferred += [Inference("left out", name, why) for name, why in left_out.items()]
    kinds = {name: request.kinds.get(name) or _kind(reference[name], request) for name in names}
    return kinds, inferred + list(_inferred(kinds, request))


def _inferred(kinds: dict[str, ColumnKind], request: ResolvedRequest) -> Iterator[Inference]:
    unsaid = {name: kind for name, kind in kinds.items() if name not in request.kinds}
    said = request.categorical is not None
    numbers = "" if said else f", and whole numbers with at most {FEW} distinct values in the reference"
    rules = {
        ColumnKind.CATEGORICAL: f"text, true/false{numbers}",
        ColumnKind.CONTINUOUS: "numbers not named as categorical" if said else "all other numbers",
    }
    for kind, rule in rules.items():
        names = [name for name, found in unsaid.items() if found is kind]
        if names:
            yield Inference(kind.value, ", ".join(names), rule)


def _kind(series: "pd.Series[Any]", request: ResolvedRequest) -> ColumnKind:
    if pd.api.types.is_bool_dtype(series.dtype) or not pd.api.types.is_numeric_dtype(series.dtype):
        return ColumnKind.CATEGORICAL
    few = request.categorical is None and _few_whole_numbers(series)
    return ColumnKind.CATEGORICAL if few else ColumnKind.CONTINUOUS


def _few_whole_numbers(series: "pd.Series[Any]") -> bool:
    for rows in (series.iloc[:_SAMPLE], series):
        values = rows.dropna().unique()
        if not 0 < len(values) <= FEW or not whole_numbers(values):
            return False
    return True


def whole_numbers(values: Any) -> bool:
    """Return whether all values are whole numbers; infinite ones are not."""
    floats = np.asarray(values, dtype=np.float64)
    return bool(np.all(np.isfinite(floats) & (np.trunc(floats) == floats)))


def _unfit(series: "pd.Series[Any]", request: ResolvedRequest) -> str | None:
    """Return why a column is not a feature unless it is named as one; None where it may be one."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "dates and times always move on"
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        return None
    try:
        distinct = int(series.nunique())
    except TypeError:
        return "values that are neither numbers nor text"
    if distinct > MANY and distinct * ROWS_A_VALUE > len(series):
        return (
            f"text with fewer than {ROWS_A_VALUE} rows a value in the reference is not compared; "
            f"{request.option('features')} can name it"
        )
    return None
