"""Streams of real data, and NannyML's car loans, with weekly chunks and what is known about them."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.detection.harm import ExpectedPerformance, is_worse, mean_performance, performance
from benchmarks.detection.stream import Stream, Truth
from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, Period, Spec

FLIGHTS = Path(__file__).parents[2] / "docs" / "flights.csv.gz"
FLIGHTS_UNTIL = pd.Timestamp("2013-04-29", tz="UTC")
LOANS_FALL = 25_000
"""The row of the analysis from which the model of the car loans performs worse."""
ROLES = [EVENT_TIME, ID, SCORE, PREDICTION, LABEL]


def flights() -> Stream:
    """Return departures from New York, scored by a model of January; a week is harmful according to its labels."""
    rows = pd.read_csv(FLIGHTS, parse_dates=["departure"]).rename(
        columns={"departure": EVENT_TIME, "late": LABEL, "score": SCORE}
    )
    is_reference = rows[EVENT_TIME] < FLIGHTS_UNTIL
    rows[PREDICTION] = (rows[SCORE] > rows.loc[is_reference, LABEL].mean()).astype(int)
    rows[ID] = range(len(rows))
    stream = _stream("flights", "", rows[is_reference], rows[~is_reference])
    weeks, usual = _by_chunk(stream, stream.analysis), mean_performance(_by_chunk(stream, stream.reference))
    worse = tuple(is_worse(week, usual) for week in weeks)
    return replace(stream, truth=replace(stream.truth, drifts=worse, harmful=worse))


def car_loans() -> Stream:
    """Return NannyML's synthetic car loans, whose performance falls in the second half of the analysis."""
    reference = _loans(pd.read_csv(_data("synthetic_car_loan_reference.csv")))
    analysis = pd.read_csv(_data("synthetic_car_loan_analysis.csv"))
    targets = pd.read_csv(_data("synthetic_car_loan_analysis_target.csv"))
    analysis = _loans(analysis.merge(targets, on="id"))
    stream = _stream("car loans", "", reference, analysis)
    fall = analysis[EVENT_TIME].iloc[LOANS_FALL]
    worse = tuple(chunk.end > fall for chunk, _ in split_by_chunk(analysis, Period.WEEK, stream.spec.zone))
    return replace(stream, truth=replace(stream.truth, drifts=worse, harmful=worse))


def employment(seed: int) -> Stream:
    """Return census rows of Massachusetts, shuffled within each year and spread over it; nothing should alarm."""
    reference = pd.read_parquet(_data("employment_MA_reference.pq"))
    analysis = pd.read_parquet(_data("employment_MA_analysis.pq"))
    targets = pd.read_parquet(_data("employment_MA_analysis_target.pq"))
    random = np.random.default_rng(seed)
    frames = (_employment(rows, random) for rows in (reference, analysis.merge(targets, on="id")))
    return _stream("employment", f"seed {seed}", *frames)


def _loans(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"timestamp": EVENT_TIME, "y_pred_proba": SCORE, "y_pred": PREDICTION, "repaid": LABEL}
    rows = rows.rename(columns=names).astype({LABEL: int, "repaid_loan_on_prev_car": str})
    return rows.assign(**{EVENT_TIME: pd.to_datetime(rows[EVENT_TIME], utc=True)})


def _employment(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the rows in the columns of the benchmark, shuffled within their year and spread evenly over it."""
    years = [rows_of_year.iloc[random.permutation(len(rows_of_year))] for _, rows_of_year in rows.groupby("year")]
    spread = [
        pd.date_range(f"{rows_of_year['year'].iloc[0]}", periods=len(rows_of_year), freq=_step(rows_of_year), tz="UTC")
        for rows_of_year in years
    ]
    rows = pd.concat(years, ignore_index=True).drop(columns="year")
    names = {"predicted_probability": SCORE, "employed": LABEL}
    texts = rows.select_dtypes("category").columns
    return (
        rows.rename(columns=names)
        .astype(dict.fromkeys(texts, str))
        .assign(**{EVENT_TIME: np.concatenate([times.as_unit("us") for times in spread])})
        .assign(**{EVENT_TIME: lambda frame: pd.to_datetime(frame[EVENT_TIME], utc=True)})
    )


def _step(rows: pd.DataFrame) -> pd.Timedelta:
    return pd.Timedelta(365, "D") / len(rows)


def _stream(name: str, case: str, reference: pd.DataFrame, analysis: pd.DataFrame) -> Stream:
    features = [column for column in reference.columns if column not in ROLES]
    text = {column: not pd.api.types.is_numeric_dtype(reference[column]) for column in features}
    kinds = {True: ColumnKind.CATEGORICAL, False: ColumnKind.CONTINUOUS}
    columns = tuple(ColumnSpec(name=column, kind=kinds[text[column]]) for column in features)
    spec = Spec(columns=columns, period=Period.WEEK)
    calm = tuple(False for _ in split_by_chunk(analysis, spec.period, spec.zone))
    return Stream(Truth(name, case, calm, calm), reference, analysis.reset_index(drop=True), spec)


def _by_chunk(stream: Stream, rows: pd.DataFrame) -> list[ExpectedPerformance]:
    return [
        performance(chunk_rows, LABEL) for _, chunk_rows in split_by_chunk(rows, stream.spec.period, stream.spec.zone)
    ]


def _data(name: str) -> Path:
    """Find a file of NannyML's package without importing it, which would take seconds."""
    package = find_spec("nannyml")
    if package is None or package.origin is None:
        raise FileNotFoundError("NannyML's data sets are in its package: run `make setup` for the tests' environment")
    return Path(package.origin).parent / "datasets" / "data" / name
