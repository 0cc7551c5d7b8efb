"""Pearson's and Spearman's correlation of every pair of columns. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import VARIABLES
from eda.statistics.moments import Moments
from eda.statistics.sample import RowSample

MINIMUM_ROWS = 30


class CorrelationMethod(StrEnum):
    """Methods of correlation: of the values, or of their ranks."""

    PEARSON = "Pearson"
    SPEARMAN = "Spearman"


@dataclass(frozen=True)
class Correlation:
    """The correlation of a pair over the rows where both have a value; an undefined one has a reason."""

    left: Cdr
    right: Cdr
    method: CorrelationMethod
    value: float | None
    rows: int
    reason: str | None = None


def pearson(sums: Moments) -> tuple[Correlation, ...]:
    """Return Pearson's correlation of each pair of `VARIABLES`, over all rows."""
    return tuple(
        _checked(left, right, CorrelationMethod.PEARSON, sums.correlation(i, j), int(sums.rows[i, j]))
        for (i, left), (j, right) in combinations(enumerate(VARIABLES), 2)
    )


def spearman(sample: RowSample) -> tuple[Correlation, ...]:
    """Return Spearman's rank correlation of each pair of `VARIABLES`, over the sample; ties share their mean rank."""
    values = sample.rows.loc[:, list(VARIABLES)]
    present = values.notna().to_numpy().astype(np.int64)
    rows = present.T @ present
    matrix = values.corr(method="spearman").to_numpy()
    return tuple(
        _checked(left, right, CorrelationMethod.SPEARMAN, _or_none(matrix[i, j]), int(rows[i, j]))
        for (i, left), (j, right) in combinations(enumerate(VARIABLES), 2)
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _checked(left: Cdr, right: Cdr, method: CorrelationMethod, value: float | None, rows: int) -> Correlation:
    if rows < MINIMUM_ROWS:
        return Correlation(left, right, method, None, rows, f"{rows} rows have both; {MINIMUM_ROWS} are needed")
    if value is None:
        return Correlation(left, right, method, None, rows, "one of the two has a single value")
    return Correlation(left, right, method, value, rows)


def with_churn(correlations: Sequence[Correlation]) -> dict[Cdr, Correlation]:
    """Return each usage column's correlation with PSEUDO_CHURNED, from the correlations of one method."""
    by_column = {pair.left: pair for pair in correlations if pair.right is Cdr.PSEUDO_CHURNED}
    return {column: by_column[column] for column in CDR_USAGE}


def matrix(correlations: Sequence[Correlation]) -> pd.DataFrame:
    """Return the pairs of one method as a square frame of `VARIABLES`; NaN where undefined, 1 on the diagonal."""
    names = list(map(str, VARIABLES))
    square = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for pair in correlations:
        value = np.nan if pair.value is None else pair.value
        square.loc[pair.left, pair.right] = square.loc[pair.right, pair.left] = value
    return square
