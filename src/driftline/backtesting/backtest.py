"""The backtest as one function for the notebook."""

from collections.abc import Mapping, Sequence
from datetime import date
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources import open_source
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.request import Request
from driftline.errors import InvalidInput


def backtest(
    data: pd.DataFrame | str | PathLike[str],
    *,
    timestamp: str,
    reference_until: str | date | np.datetime64 | None = None,
    label: str | None = None,
    prediction: str | None = None,
    score: str | Sequence[str] | Mapping[str, str] | None = None,
    id: str | None = None,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] | None = None,
    chunk: str | None = None,
    problem: str | None = None,
    positive: str | float | None = None,
    spec: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> BacktestResult:
    """Judge a frame, or a CSV or Parquet file, of past predictions chunk by chunk.

    Rows before `reference_until` (an ISO date or instant, or a date, datetime or `numpy.datetime64`) are the reference
    that the later ones are held against. `timestamp`, `label`, `prediction`, `score` and `id` name columns; the scores
    of several classes are a mapping of class to column. `positive` is the value that stands for class 1. `chunk` is
    `1h`, `1d`, `1w`, `1mo`, `1q`, `rows:5000` or `count:20`; `spec` holds fields of `driftline.engine.spec.Spec`.
    What is not given is inferred, and `BacktestResult.inferred` says how. A label that is missing is one that is not
    known yet. Every fault of the input is named in one `InvalidInput`.
    """
    request = Request(
        timestamp=timestamp,
        label=label,
        prediction=prediction,
        scores=_scores(score),
        id=id,
        features=_listed(features),
        categorical=_listed(categorical),
        reference_until=reference_until,
        chunk=chunk,
        problem=problem,
        positive=None if positive is None else str(positive),
        spec=spec or {},
        name=name,
    )
    if not isinstance(data, pd.DataFrame | str | PathLike):
        msg = f"data must be a frame or the path of a file, not {type(data).__name__}; pandas.DataFrame(data) makes one"
        raise InvalidInput(msg)
    return run(open_source(data), request)


def _listed(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return (names,) if isinstance(names, str) else None if names is None else tuple(map(str, names))


def _scores(score: str | Sequence[str] | Mapping[str, str] | None) -> tuple[str, ...]:
    if isinstance(score, Mapping):
        return tuple(f"{name}={column}" for name, column in score.items())
    return _listed(score or None) or ()
