"""The error of reconstructing rows from a few principal components of the reference. No I/O here."""

from collections import Counter
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray
from driftline.engine.multivariate.features import looked_up, numbers_in_rows, texts_in_rows, together
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import ColumnKind, Spec

LEAST_SCALE = 1e-70
"""A feature that scatters less than this in the reference, in its own unit, counts as constant: what is divided by
less, and squared, may be too large for a float."""
EXPLAINED = 0.65
"""Components are taken, the largest first, until they explain more than this share of the reference's variance."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a feature becomes a number: filled where it is missing, a category as its share, then standardised.

    `fill` is the reference's mean, or the share of its most frequent category. `shares` has the share of each category
    in the filled reference, None for a continuous feature. `scale` is the standard deviation (population), 1 for a
    constant feature.
    """

    name: str
    fill: float
    shares: dict[str, float] | None
    mean: float
    scale: float

    def __call__(self, column: "pd.Series[Any]") -> FloatArray:
        """Return the feature in standard deviations of the reference; unseen categories have the share 0."""
        return (_as_numbers(column, self.fill, self.shares) - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class Errors:
    """The reconstruction errors of some rows: their mean, and the sum of squared differences from it.

    `merge` is exact up to float rounding (Chan, Golub and LeVeque 1979).
    """

    rows: int
    mean: float
    squares: float

    @classmethod
    def of(cls, errors: FloatArray) -> Self:
        """Sum up the errors of rows."""
        if not len(errors):
            return cls(0, 0.0, 0.0)
        mean = float(np.mean(errors))
        return cls(len(errors), mean, float(np.sum((errors - mean) ** 2)))

    def merge(self, other: "Errors") -> "Errors":
        """Put the errors of two parts of a chunk together."""
        rows = self.rows + other.rows
        if not rows:
            return self
        apart = other.mean - self.mean
        mean = (self.mean * self.rows + other.mean * other.rows) / rows
        return Errors(rows, mean, self.squares + other.squares + apart**2 * self.rows * other.rows / rows)


@dataclass(frozen=True, slots=True, eq=False)
class PcaReconstruction:
    """The reference's encodings and its principal components, one per row of `components`.

    Features without a value in the reference are left out. Everything is as in NannyML 0.13.1 (data reconstruction):
    missing numbers are filled with the mean and missing categories with the most frequent one, categories are encoded
    by their share, all is standardised, and components explain more than 65 % of the variance.
    """

    encodings: tuple[Encoding, ...]
    components: FloatArray

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, with the watched features as columns."""
        encodings = tuple(
            _encoding(frame[column.name], column.kind)
            for column in together(spec)
            if _has_values(frame[column.name], column.kind)
        )
        return cls(encodings, _components(_encoded(encodings, frame)))

    def summarize(self, frame: pd.DataFrame) -> Errors:
        """Take the error of each row: the Euclidean distance, in standard deviations, to its reconstruction."""
        rows = _encoded(self.encodings, frame)
        rebuilt = (rows @ self.components.T) @ self.components
        return Errors.of(np.sqrt(np.sum((rows - rebuilt) ** 2, axis=1)))

    def outcome(self, summary: Errors, spec: Spec) -> Outcome:
        """Return the mean error, 0 or more, with its standard error; it drifts upwards and downwards alike.

        There is no effect: what is much depends on the features. Where the components hold all of the features, as of a
        single one, rows are always rebuilt whole; that is no value. Parts merge exactly but for float rounding.
        """
        reason = too_few(summary.rows, spec.minimum_rows, "rows")
        if reason:
            return undefined(summary.rows, reason)
        if len(self.components) == len(self.encodings):
            return undefined(summary.rows, "nothing is lost in reconstruction: it takes two or more related features")
        error = sqrt(summary.squares / (summary.rows - 1) / summary.rows) if summary.rows > 1 else None
        return Outcome(summary.mean, summary.rows, error)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"encodings": [asdict(own) for own in self.encodings], "components": self.components.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        encodings = tuple(Encoding(**own) for own in state["encodings"])
        return cls(encodings, np.array(state["components"], dtype=np.float64).reshape(-1, len(encodings)))


def _encoded(encodings: tuple[Encoding, ...], frame: pd.DataFrame) -> FloatArray:
    columns = [encoding(frame[encoding.name]) for encoding in encodings]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _has_values(column: "pd.Series[Any]", kind: ColumnKind) -> bool:
    if kind is ColumnKind.CONTINUOUS:
        return bool(np.isfinite(numbers_in_rows(column)).any())
    return bool(column.notna().any())


def _encoding(column: "pd.Series[Any]", kind: ColumnKind) -> Encoding:
    fill, shares = _filled_numbers(column) if kind is ColumnKind.CONTINUOUS else _filled_categories(column)
    values = _as_numbers(column, fill, shares)
    constant = values.min() == values.max()
    mean, scale = (float(values[0]), 0.0) if constant else (float(np.mean(values)), float(np.std(values)))
    return Encoding(str(column.name), fill, shares, mean, scale if scale > LEAST_SCALE else 1.0)


def _filled_numbers(column: "pd.Series[Any]") -> tuple[float, None]:
    values = numbers_in_rows(column)
    return float(np.mean(values[np.isfinite(values)])), None


def _filled_categories(column: "pd.Series[Any]") -> tuple[float, dict[str, float]]:
    codes, texts = texts_in_rows(column)
    counts: Counter[str] = Counter()
    for text, count in zip(texts, np.bincount(codes[codes >= 0], minlength=len(texts)).tolist(), strict=True):
        counts[text] += count
    most = min(counts, key=lambda text: (-counts[text], text))
    counts[most] += int(np.sum(codes < 0))
    shares = {text: count / len(codes) for text, count in sorted(counts.items()) if count}
    return shares[most], shares


def _as_numbers(column: "pd.Series[Any]", fill: float, shares: dict[str, float] | None) -> FloatArray:
    if shares is None:
        values = numbers_in_rows(column)
        return np.where(np.isnan(values), fill, values)
    return looked_up(*texts_in_rows(column), shares, unseen=0.0, none=fill)


def _components(rows: FloatArray) -> FloatArray:
    """Return the directions of largest variance, one per row; none where nothing varies."""
    width = rows.shape[1]
    covariance = rows.T @ rows / len(rows)
    if np.trace(covariance) < LEAST_SCALE:
        return np.empty((0, width))
    variances, directions = np.linalg.eigh(covariance)
    shares = np.cumsum(variances[::-1]) / np.sum(variances)
    return np.ascontiguousarray(directions.T[::-1][: int(np.searchsorted(shares, EXPLAINED, side="right")) + 1])
