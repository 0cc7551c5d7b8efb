"""PCA reconstruction error: how far rows are from their projection on the reference's components. No I/O here."""

from collections import Counter
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import FloatArray
from driftline.engine.multivariate.features import map_categories, read_categories, read_numbers, watched_columns
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import Spec
from driftline.engine.sums.exact_sum import ExactSum

MINIMUM_SCALE = 1e-70
"""A feature whose standard deviation in the reference is smaller counts as constant: values divided by it and squared
might overflow."""
EXPLAINED_VARIANCE = 0.65
"""The largest components are used until they explain more than this share of the reference's variance."""


@dataclass(frozen=True, slots=True)
class PcaEncoding:
    """The encoding of a feature: missing values filled, categories replaced by their share, then standardized.

    `fill` is the reference's mean, or the share of its most frequent category. `shares` has the share of each category
    in the filled reference, None for a continuous feature. `scale` is the population standard deviation, 1 for a
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
class ReconstructionErrors:
    """The reconstruction errors of some rows: their number, their exact sum, and that of their squares.

    Merges exactly. The error of a row itself may differ in its last bit with the rows that are computed beside it.
    """

    rows: int
    total: ExactSum
    squares: ExactSum

    @classmethod
    def of(cls, errors: FloatArray) -> Self:
        """Summarize the errors of rows."""
        return cls(len(errors), ExactSum.of(errors), ExactSum.of_squares(errors))

    def merge(self, other: "ReconstructionErrors") -> "ReconstructionErrors":
        """Merge the errors of two parts of a chunk."""
        return ReconstructionErrors(
            self.rows + other.rows, self.total.merge(other.total), self.squares.merge(other.squares)
        )

    @property
    def mean(self) -> float:
        """The mean error; 0 without rows."""
        return self.total.mean(self.rows) if self.rows else 0.0

    @property
    def squared_deviations(self) -> float:
        """The sum of squared deviations from the mean; 0 without rows."""
        return self.squares.squared_deviations(self.total, self.rows) if self.rows else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class PcaReconstruction:
    """The reference's encodings and its principal components, one per row of `components`.

    Features without a value in the reference are ignored. As in NannyML 0.13.1 (data reconstruction), missing numbers
    are filled with the mean and missing categories with the most frequent one, categories are encoded by their share,
    all features are standardized, and the components explain more than 65 % of the variance.
    """

    encodings: tuple[PcaEncoding, ...]
    components: FloatArray

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, with the watched features as columns."""
        encodings = tuple(
            _encoding(frame[column.name], column.kind)
            for column in watched_columns(spec)
            if _has_values(frame[column.name], column.kind)
        )
        return cls(encodings, _components(_encoded(encodings, frame)))

    def summarize(self, frame: pd.DataFrame) -> ReconstructionErrors:
        """Summarize the error of each row: its Euclidean distance, in standard deviations, from its reconstruction."""
        rows = _encoded(self.encodings, frame)
        reconstructed = (rows @ self.components.T) @ self.components
        return ReconstructionErrors.of(np.sqrt(np.sum((rows - reconstructed) ** 2, axis=1)))

    def outcome(self, summary: ReconstructionErrors, spec: Spec) -> Outcome:
        """Return the mean error with its standard error; both an increase and a decrease are drift.

        There is no effect size, since the scale depends on the features. There is no value where the components span
        all features (a single feature, for example), since reconstruction is then always exact.
        """
        reason = too_few(summary.rows, spec.minimum_rows, "rows")
        if reason:
            return undefined(summary.rows, reason)
        if len(self.components) == len(self.encodings):
            reason = "the components span all features and lose nothing; watch at least two related features"
            return undefined(summary.rows, reason)
        error = sqrt(summary.squared_deviations / (summary.rows - 1) / summary.rows) if summary.rows > 1 else None
        return Outcome(summary.mean, summary.rows, error)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"encodings": [asdict(encoding) for encoding in self.encodings], "components": self.components.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        encodings = tuple(PcaEncoding(**encoding) for encoding in state["encodings"])
        return cls(encodings, np.array(state["components"], dtype=np.float64).reshape(-1, len(encodings)))


def _encoded(encodings: tuple[PcaEncoding, ...], frame: pd.DataFrame) -> FloatArray:
    columns = [encoding(frame[encoding.name]) for encoding in encodings]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _has_values(column: "pd.Series[Any]", kind: ColumnKind) -> bool:
    if kind is ColumnKind.CONTINUOUS:
        return bool(np.isfinite(read_numbers(column)).any())
    return bool(column.notna().any())


def _encoding(column: "pd.Series[Any]", kind: ColumnKind) -> PcaEncoding:
    fill, shares = _filled_numbers(column) if kind is ColumnKind.CONTINUOUS else _filled_categories(column)
    values = _as_numbers(column, fill, shares)
    constant = values.min() == values.max()
    mean, scale = (float(values[0]), 0.0) if constant else (float(np.mean(values)), float(np.std(values)))
    return PcaEncoding(str(column.name), fill, shares, mean, scale if scale > MINIMUM_SCALE else 1.0)


def _filled_numbers(column: "pd.Series[Any]") -> tuple[float, None]:
    values = read_numbers(column)
    return float(np.mean(values[np.isfinite(values)])), None


def _filled_categories(column: "pd.Series[Any]") -> tuple[float, dict[str, float]]:
    codes, texts = read_categories(column)
    counts: Counter[str] = Counter()
    for text, count in zip(texts, np.bincount(codes[codes >= 0], minlength=len(texts)).tolist(), strict=True):
        counts[text] += count
    most_frequent = min(counts, key=lambda text: (-counts[text], text))
    counts[most_frequent] += int(np.sum(codes < 0))
    shares = {text: count / len(codes) for text, count in sorted(counts.items()) if count}
    return shares[most_frequent], shares


def _as_numbers(column: "pd.Series[Any]", fill: float, shares: dict[str, float] | None) -> FloatArray:
    if shares is None:
        values = read_numbers(column)
        return np.where(np.isnan(values), fill, values)
    return map_categories(*read_categories(column), shares, unseen=0.0, missing=fill)


def _components(rows: FloatArray) -> FloatArray:
    """Return the directions of largest variance, one per row; none if no feature varies."""
    width = rows.shape[1]
    covariance = rows.T @ rows / len(rows)
    if np.trace(covariance) < MINIMUM_SCALE:
        return np.empty((0, width))
    variances, directions = np.linalg.eigh(covariance)
    explained = np.cumsum(variances[::-1]) / np.sum(variances)
    count = int(np.searchsorted(explained, EXPLAINED_VARIANCE, side="right")) + 1
    return np.ascontiguousarray(directions.T[::-1][:count])
