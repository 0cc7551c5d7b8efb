"""A smooth calibration of scores: logistic regression on a natural cubic spline. No I/O here.

The isotonic curve of CBPE has steps, which are 0 or 1 at its ends and would make a likelihood ratio infinite.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit

from driftline.engine.frames.columns import FloatArray

KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
RIDGE = 0.01
"""The penalty on each curved term, whose values have a standard deviation of 1."""
UNPENALIZED = 1e-8
ITERATIONS = 100
TOLERANCE = 1e-9
SMALLEST_STEP = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SplineCalibration:
    """The knots and the coefficients of the spline; calibrated log-odds are clipped to `limit` on both sides."""

    knots: FloatArray
    coefficients: FloatArray
    limit: float

    @classmethod
    def fit(cls, points: FloatArray, rows: FloatArray, positives: FloatArray, limit: float) -> Self:
        """Fit the probability of class 1 at ascending `points` from their numbers of rows and of rows of class 1.

        Newton's method with step halving; both classes must have rows.
        """
        has_rows = rows > 0
        points, rows, positives = points[has_rows], rows[has_rows], positives[has_rows]
        knots = _knots(points, rows)
        basis = _basis(points, knots)
        scale = _scale(basis, rows)
        return cls(knots, _newton(basis / scale, rows, positives) / scale, limit)

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the calibrated log-odds of class 1 at `points`."""
        curve: FloatArray = _basis(points, self.knots) @ self.coefficients
        return np.clip(curve, -self.limit, self.limit)

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as JSON-compatible values."""
        return {"knots": self.knots.tolist(), "coefficients": self.coefficients.tolist(), "limit": self.limit}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(np.asarray(stored["knots"]), np.asarray(stored["coefficients"]), stored["limit"])


def _knots(points: FloatArray, rows: FloatArray) -> FloatArray:
    """Return the quantiles of the rows, or of the distinct points where they coincide; none for fewer than three."""
    shares = np.cumsum(rows) / rows.sum()
    knots = np.unique(points[np.searchsorted(shares, KNOT_QUANTILES)])
    if len(knots) < len(KNOT_QUANTILES):
        knots = np.unique(np.quantile(points, KNOT_QUANTILES))
    return knots if len(knots) >= 3 else np.empty(0)


def _basis(points: FloatArray, knots: FloatArray) -> FloatArray:
    """Return the basis of a natural cubic spline: 1, x, and a term for all knots but two (ESL, section 5.2.1)."""
    columns = [np.ones_like(points), points]
    if len(knots):
        beyond_last = np.maximum(points - knots[-1], 0) ** 3
        cubes = [(np.maximum(points - knot, 0) ** 3 - beyond_last) / (knots[-1] - knot) for knot in knots[:-1]]
        columns += [cube - cubes[-1] for cube in cubes[:-1]]
    return np.stack(columns, axis=-1)


def _scale(basis: FloatArray, rows: FloatArray) -> FloatArray:
    mean = rows @ basis / rows.sum()
    scale = np.sqrt(rows @ (basis - mean) ** 2 / rows.sum())
    scale[0] = 1.0
    return np.where(scale > 0, scale, 1.0)


def _newton(basis: FloatArray, rows: FloatArray, positives: FloatArray) -> FloatArray:
    """Return the coefficients of the penalized maximum likelihood."""
    ridge = np.full(basis.shape[1], RIDGE)
    ridge[:2] = UNPENALIZED
    share = positives.sum() / rows.sum()
    coefficients = np.zeros(basis.shape[1])
    coefficients[0] = np.log(share / (1 - share))

    def loss(candidate: FloatArray) -> float:
        log_odds = basis @ candidate
        return float(rows @ np.logaddexp(0, log_odds) - positives @ log_odds + 0.5 * ridge @ candidate**2)

    current = loss(coefficients)
    for _ in range(ITERATIONS):
        chances = expit(basis @ coefficients)
        weights = rows * np.maximum(chances * (1 - chances), 1e-9)
        gradient = basis.T @ (positives - rows * chances) - ridge * coefficients
        step = np.linalg.solve((basis.T * weights) @ basis + np.diag(ridge), gradient)
        size = 1.0
        while size > SMALLEST_STEP and loss(coefficients + size * step) > current:
            size /= 2
        coefficients = coefficients + size * step
        previous, current = current, loss(coefficients)
        if previous - current < TOLERANCE:
            break
    return coefficients
