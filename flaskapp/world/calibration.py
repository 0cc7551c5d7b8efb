"""The customers of mlc_churn and the churn curve fitted to them. No I/O here, except reading the package's data."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

MONTH_DAYS = 30
"""The data does not state the period of its totals; they are taken as a month."""

USAGE_TERMS = ("out_calls", "out_seconds", "in_calls", "in_seconds")
PLAN_TERMS = ("international_plan", "voice_mail_plan", "service_calls", "many_service_calls")
MANY_SERVICE_CALLS = 4
HEAVY = 1.0
"""Outgoing time this many standard deviations above the mean is heavy: from there on the risk climbs steeply."""


@dataclass(frozen=True)
class Customers:
    """The customers as usage per day: one value per customer in each array, `churned` 0 or 1."""

    out_calls: Floats
    out_seconds: Floats
    in_calls: Floats
    in_seconds: Floats
    plan: Floats
    churned: Floats

    def usage(self) -> Floats:
        """Stack the daily usage, one row per customer and one column per name of `USAGE_TERMS`."""
        return np.column_stack([getattr(self, name) for name in USAGE_TERMS])


@dataclass(frozen=True)
class Curve:
    """The fitted logistic curve of churn: `intercept`, slopes of usage (standardized) and of the plan."""

    mean: Floats
    sd: Floats
    usage_slopes: Floats
    plan_slopes: Floats
    intercept: float

    def usage_logit(self, daily_usage: Floats) -> Floats:
        """Return usage's part of the logit for rows of mean usage per day (columns as `USAGE_TERMS`)."""
        result: Floats = usage_terms((daily_usage - self.mean) / self.sd) @ self.usage_slopes
        return result

    def plan_logit(self, plan: Floats) -> Floats:
        """Return the plan's part of the logit for rows of `PLAN_TERMS`."""
        result: Floats = plan @ self.plan_slopes
        return result


def usage_terms(standardized: Floats) -> Floats:
    """Return the curve's usage terms: each usage (clipped at 3 standard deviations) and heavy outgoing time."""
    clipped = np.clip(standardized, -3.0, 3.0)
    heavy = np.maximum(clipped[:, USAGE_TERMS.index("out_seconds")] - HEAVY, 0.0)
    return np.column_stack([clipped, heavy])


def customers_of(table: pd.DataFrame) -> Customers:
    """Read the customers out of the raw table: day and international calls go out, evening and night calls come in."""

    def daily(*columns: str, factor: float = 1.0) -> Floats:
        total: Floats = table[list(columns)].sum(axis=1).to_numpy(np.float64) * factor / MONTH_DAYS
        return total

    return Customers(
        out_calls=daily("total_day_calls", "total_intl_calls"),
        out_seconds=daily("total_day_minutes", "total_intl_minutes", factor=60.0),
        in_calls=daily("total_eve_calls", "total_night_calls"),
        in_seconds=daily("total_eve_minutes", "total_night_minutes", factor=60.0),
        plan=_plan(table),
        churned=_indicator(table, "churn"),
    )


def _plan(table: pd.DataFrame) -> Floats:
    service = table["number_customer_service_calls"].to_numpy(np.float64)
    columns = [
        _indicator(table, "international_plan"),
        _indicator(table, "voice_mail_plan"),
        service,
        (service >= MANY_SERVICE_CALLS).astype(np.float64),
    ]
    return np.column_stack(columns)


def _indicator(table: pd.DataFrame, column: str) -> Floats:
    return np.asarray(table[column] == "yes", dtype=np.float64)


@cache
def customers() -> Customers:
    """Return the 5,000 customers of the package's copy of mlc_churn."""
    with (files(__package__) / "mlc_churn.csv.gz").open("rb") as source:
        return customers_of(pd.read_csv(source, compression="gzip"))


@cache
def curve() -> Curve:
    """Return the curve that `fit` wrote to curve.json."""
    stored = json.loads((files(__package__) / "curve.json").read_text())
    return Curve(
        mean=np.array(stored["mean"]),
        sd=np.array(stored["sd"]),
        usage_slopes=np.array(stored["usage_slopes"]),
        plan_slopes=np.array(stored["plan_slopes"]),
        intercept=float(stored["intercept"]),
    )
