"""Fits the churn curve to mlc_churn. No I/O here but in `main`: `python -m flaskapp.world.fit` writes curve.json."""

import json
from pathlib import Path

import numpy as np

from flaskapp.world.calibration import Curve, Customers, Floats, customers, usage_terms

DIGITS = 6
STEPS = 25


def logistic(features: Floats, outcome: Floats) -> Floats:
    """Fit a logistic regression by Newton's method: features (rows, terms) without intercept, outcome 0 or 1.

    Returns the coefficients, the intercept first. Source: McCullagh and Nelder, Generalized Linear Models, 2.5.
    """
    design = np.column_stack([np.ones(len(features)), features])
    coefficients = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-design @ coefficients))
        information = design.T @ (design * (chance * (1.0 - chance))[:, None])
        coefficients = coefficients + np.linalg.solve(information, design.T @ (outcome - chance))
    return coefficients


def fit(table: Customers) -> Curve:
    """Fit the curve, every number rounded to six decimals so that it is the same on every machine."""
    usage = table.usage()
    mean, sd = usage.mean(axis=0).round(DIGITS), usage.std(axis=0).round(DIGITS)
    terms = usage_terms((usage - mean) / sd)
    coefficients = logistic(np.column_stack([terms, table.plan]), table.churned).round(DIGITS)
    count = terms.shape[1]
    return Curve(mean, sd, coefficients[1 : 1 + count], coefficients[1 + count :], float(coefficients[0]))


def as_json(curve: Curve) -> str:
    """Write the curve as the text of curve.json."""
    values = {name: np.asarray(value).tolist() for name, value in vars(curve).items()}
    return json.dumps(values, indent=2) + "\n"


def main() -> None:
    """Write curve.json beside this file."""
    Path(__file__).with_name("curve.json").write_text(as_json(fit(customers())))


if __name__ == "__main__":
    main()
