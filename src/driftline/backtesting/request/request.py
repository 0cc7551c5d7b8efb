"""What a person asked of a backtest, before any data is read. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

SpecFields = Mapping[str, Any]
"""Fields of `Spec` as a spec.yaml has them; `columns` may be plain names too."""


@dataclass(frozen=True, slots=True)
class Request:
    """The names of the columns as the data has them, and how to cut and judge it; None is: infer it, or do without.

    `scores` are column names, or `class=column` for several classes. `reference_until` is an ISO date or instant, or a
    date, datetime or `numpy.datetime64`. `chunk` is a period (`1h`, `1d`, `1w`, `1mo`, `1q`), `rows:5000` or
    `count:20`. `positive` is the value of label and prediction that stands for class 1.
    """

    timestamp: str
    label: str | None = None
    prediction: str | None = None
    scores: tuple[str, ...] = ()
    id: str | None = None
    features: tuple[str, ...] | None = None
    categorical: tuple[str, ...] | None = None
    reference_until: str | date | np.datetime64 | None = None
    chunk: str | None = None
    problem: str | None = None
    positive: str | None = None
    spec: SpecFields = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Inference:
    """Something that was not said and had to be found: what, what was found, and by which rule."""

    what: str
    value: str
    rule: str

    def __str__(self) -> str:
        return f"{self.what}: {self.value} ({self.rule})"
