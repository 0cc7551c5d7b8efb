"""The backtest as one function for the notebook."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from driftline.backtesting.request import Request
from driftline.backtesting.result import BacktestResult
from driftline.backtesting.run import run
from driftline.backtesting.sources import open_source


def backtest(
    data: pd.DataFrame | str | Path,
    *,
    timestamp: str,
    reference_until: str | datetime | None = None,
    label: str | None = None,
    prediction: str | None = None,
    score: str | Mapping[str, str] | None = None,
    id: str | None = None,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] | None = None,
    chunk: str | None = None,
    problem: str | None = None,
    positive: str | None = None,
    spec: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> BacktestResult:
    """Judge a frame, or a CSV or Parquet file, of past predictions chunk by chunk.

    Rows before `reference_until` (an ISO date or instant, or a datetime) are the reference that the later ones are held
    against. `timestamp`, `label`, `prediction`, `score` and `id` name columns; the scores of several classes are a
    mapping of class to column. `chunk` is `1h`, `1d`, `1w`, `1mo`, `1q`, `rows:5000` or `count:20`; `spec` holds fields
    of `driftline.engine.spec.ModelSpec`. What is not given is inferred, and `BacktestResult.inferred` says how. A label
    that is missing is one that is not known yet. Every fault of the input is named in one `InvalidInput`.
    """
    request = Request(
        timestamp=timestamp,
        label=label,
        prediction=prediction,
        scores=_scores(score),
        id=id,
        features=None if features is None else tuple(features),
        categorical=None if categorical is None else tuple(categorical),
        reference_until=reference_until,
        chunk=chunk,
        problem=problem,
        positive=positive,
        spec=spec or {},
        name=name,
    )
    return run(open_source(data), request)


def _scores(score: str | Mapping[str, str] | None) -> tuple[str, ...]:
    if score is None or isinstance(score, str):
        return (score,) if score else ()
    return tuple(f"{name}={column}" for name, column in score.items())
