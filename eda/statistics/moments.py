"""Means, variances and covariances of every pair of columns, summed over chunks. No I/O here."""

from dataclasses import dataclass

import numpy as np

from eda.statistics.histogram import Floats

ROUNDING = 1e-12
"""A column is constant when its sum of squared deviations is at most this share of its sum of squares."""


@dataclass(frozen=True)
class Moments:
    """Sums over the rows in which both columns of a pair have a value; `shift` is subtracted to limit rounding.

    Each matrix is square: `rows` counts, `sums[i, j]` sums column i, `squares[i, j]` its square and `products[i, j]`
    its product with column j, all over the rows where i and j both have a value.
    """

    shift: Floats
    rows: Floats
    sums: Floats
    squares: Floats
    products: Floats

    def __add__(self, other: "Moments") -> "Moments":
        """Add moments with the same shift."""
        return Moments(
            self.shift,
            self.rows + other.rows,
            self.sums + other.sums,
            self.squares + other.squares,
            self.products + other.products,
        )

    def mean(self, column: int) -> float | None:
        """Return a column's mean, or None without values."""
        rows = self.rows[column, column]
        return float(self.shift[column] + self.sums[column, column] / rows) if rows else None

    def deviation(self, column: int) -> float | None:
        """Return a column's sample standard deviation (n - 1), or None below two values."""
        rows = self.rows[column, column]
        return float(np.sqrt(max(self._spread(column, column), 0.0) / (rows - 1))) if rows > 1 else None

    def correlation(self, left: int, right: int) -> float | None:
        """Return Pearson's correlation over the rows where both have a value; None if one is constant there."""
        if self.is_constant(left, right) or self.is_constant(right, left):
            return None
        rows = self.rows[left, right]
        together = self.products[left, right] - self.sums[left, right] * self.sums[right, left] / rows
        ratio = together / np.sqrt(self._spread(left, right) * self._spread(right, left))
        return float(np.clip(ratio, -1.0, 1.0))

    def is_constant(self, column: int, partner: int) -> bool:
        """Return whether a column has at most one distinct value in the rows where its partner has a value."""
        return bool(self._spread(column, partner) <= ROUNDING * self.squares[column, partner])

    def _spread(self, column: int, partner: int) -> float:
        rows = self.rows[column, partner]
        return float(self.squares[column, partner] - self.sums[column, partner] ** 2 / rows) if rows else 0.0


def typical(values: Floats) -> Floats:
    """Return a shift for each column (rows x columns, NaN is missing): its mean, rounded to an integer."""
    present = ~np.isnan(values)
    sums = np.where(present, values, 0.0).sum(axis=0)
    means: Floats = sums / np.maximum(present.sum(axis=0), 1)
    return np.rint(means)


def moments(values: Floats, shift: Floats) -> Moments:
    """Return the moments of values (rows x columns, NaN is missing)."""
    present = (~np.isnan(values)).astype(np.float64)
    centred = np.where(present == 1.0, values - shift, 0.0)
    rows, sums = present.T @ present, centred.T @ present
    return Moments(shift, rows, sums, (centred**2).T @ present, centred.T @ centred)
