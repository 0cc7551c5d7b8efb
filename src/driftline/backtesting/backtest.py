"""The backtest as one function of Python."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from os import PathLike

import numpy as np
import pandas as pd

from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources.open_source import open_source
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.options import OptionStyle, python_option
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.faults import Faults
from driftline.backtesting.request.names import column_name, column_names, score_columns
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import ResolvedRequest, read_request
from driftline.spec_input import SpecLike, fields_of


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
    na_values: str | float | Sequence[str | float] | None = None,
    alert_budget: float | None = None,
    alert_on: str | None = None,
    spec: SpecLike | None = None,
    name: str | None = None,
) -> BacktestResult:
    """Evaluate past predictions chunk by chunk against a reference, as if a monitor had been watching.

    `data` is a frame, or the path of a CSV or Parquet file. Rows before `reference_until` are the reference: an ISO
    date or instant, or a date, datetime or `numpy.datetime64`. `timestamp`, `label`, `prediction`, `score` and `id`
    name columns (a number where a frame has that as a name); the scores of several classes are a mapping of class to
    column. A missing label is not known yet.
    `features` are the columns to watch (default: every other column), `categorical` those of them to compare as
    categories. `chunk` is `1h`, `1d`, `1w`, `1mo`, `1q`, `rows:5000` or `count:20`. `problem` is `binary`, `multiclass`
    or `regression`; `positive` is the value of label and prediction that stands for class 1.
    `alert_budget` is how many false alerts a year a classifier with scores, or a regression, may have at most (default
    1), `alert_on` whether a `change` alerts, or only one that does `harm`: by which a metric gets worse.
    `na_values` are further words or numbers that stand for a missing value, in any column, such as `unknown` or -999.

    `spec` is a typed `Spec`, a mapping of its fields, or the path of a YAML file. The arguments above win over it. Of a
    mapping or file, what is absent is inferred, and `BacktestResult.inferred` tells how; a typed `Spec` is complete.

    Raises one InvalidInput that lists every fault of the arguments.

    >>> import numpy as np
    >>> import pandas as pd
    >>> import driftline as dl
    >>> rng = np.random.default_rng(1)
    >>> score = rng.uniform(size=4_000)
    >>> frame = pd.DataFrame({
    ...     "time": pd.date_range("2026-01-01", periods=4_000, freq="432s"),  # 200 rows a day, for 20 days
    ...     "usage": rng.normal(10, 2, 4_000),
    ...     "score": score,
    ...     "label": rng.uniform(size=4_000) < score,
    ... })
    >>> frame.loc[3_000:, "usage"] *= 2  # the last five days
    >>> result = dl.backtest(
    ...     frame, timestamp="time", label="label", score="score", reference_until="2026-01-13", chunk="1d"
    ... )
    >>> result.worst
    <State.WARN: 'warn'>
    >>> result.chunks[-2].verdict.drifted
    ('usage',)

    """
    source, request = open_request(
        data,
        spec,
        timestamp=timestamp,
        reference_until=reference_until,
        label=label,
        prediction=prediction,
        score=score,
        id=id,
        features=features,
        categorical=categorical,
        chunk=chunk,
        problem=problem,
        positive=positive,
        na_values=na_values,
        alert_budget=alert_budget,
        alert_on=alert_on,
        name=name,
    )
    return run(source, request)


def open_request(
    data: pd.DataFrame | str | PathLike[str],
    spec: SpecLike | None,
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
    na_values: str | float | Sequence[str | float] | None = None,
    alert_budget: float | None = None,
    alert_on: str | None = None,
    name: str | None = None,
    option: OptionStyle = python_option,
) -> tuple[TableSource, ResolvedRequest]:
    """Open the data and check the arguments of `backtest`; `option` spells them in messages.

    Raises one InvalidInput that lists every fault.
    """
    faults = Faults()
    request = Request(
        timestamp=faults.collect(lambda: column_name("timestamp", timestamp) or "") or "",
        label=faults.collect(lambda: column_name("label", label)),
        prediction=faults.collect(lambda: column_name("prediction", prediction)),
        scores=faults.collect(lambda: score_columns(score)) or (),
        id=faults.collect(lambda: column_name("id", id)),
        features=faults.collect(lambda: column_names("features", features)),
        categorical=faults.collect(lambda: column_names("categorical", categorical)),
        reference_until=reference_until,
        chunk=chunk,
        problem=problem,
        positive=None if positive is None else str(positive),
        na_values=_words(na_values),
        alert_budget=alert_budget,
        alert_on=alert_on,
        name=name,
        option=option,
    )
    unreadable = bool(faults.messages)
    if spec is not None:
        request = replace(request, spec=faults.collect(lambda: fields_of(spec)) or {})
    source = faults.collect(lambda: open_source(data, request.na_values))
    columns = source.columns if source else None
    resolved = None if unreadable else faults.collect(lambda: read_request(request, columns))
    faults.raise_any()
    assert source is not None  # noqa: S101  (else there is a fault)
    assert resolved is not None  # noqa: S101
    return source, resolved


def _words(values: str | float | Sequence[str | float] | None) -> tuple[str, ...]:
    if values is None:
        return ()
    return (str(values),) if isinstance(values, str | int | float) else tuple(map(str, values))
