"""The request of a user, before any data is read. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from driftline.backtesting.options import OptionStyle, python_option

SpecFields = Mapping[str, Any]
"""Fields of `Spec` as a spec.yaml has them; `columns` may be plain names too."""


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column with the scores of one class; without a class the probability of class 1 of a binary model."""

    column: str
    class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a backtest: column names, how to cut the rows, and the spec. None is to be inferred or omitted.

    `reference_until` is an ISO date or instant, or a date, datetime or `numpy.datetime64`. `chunk` is a period (`1h`,
    `1d`, `1w`, `1mo`, `1q`), `rows:5000` or `count:20`. `positive` is the value of label and prediction that stands
    for class 1. `na_values` are additional words for a missing value. `label_delay`, `alert_budget`
    and `alert_on` are fields of the spec, and win over it. `option` spells the names of options in messages.
    """

    timestamp: str
    label: str | None = None
    prediction: str | None = None
    scores: tuple[ScoreColumn, ...] = ()
    id: str | None = None
    features: tuple[str, ...] | None = None
    categorical: tuple[str, ...] | None = None
    reference_until: str | date | np.datetime64 | None = None
    chunk: str | None = None
    problem: str | None = None
    positive: str | None = None
    na_values: tuple[str, ...] = ()
    spec: SpecFields = field(default_factory=dict)
    name: str | None = None
    label_delay: str | None = None
    alert_budget: float | None = None
    alert_on: str | None = None
    option: OptionStyle = python_option

    @property
    def spec_options(self) -> SpecFields:
        """The fields of the spec that options set."""
        options = {"label_delay": self.label_delay, "alert_budget": self.alert_budget, "alert_on": self.alert_on}
        return {name: value for name, value in options.items() if value is not None}
