"""Asks NannyML 0.13.1 what it finds in the rows that we judge, and holds every number of it against ours, to 1e-9."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE, Result
from driftline.engine.spec import Spec

Rows = tuple[pd.DataFrame, pd.DataFrame]
"""A reference, and the rows to analyse."""
ChunkResults = list[dict[tuple[str, str, str], Result]]
"""Our results by chunk, each under its subject, kind and method."""


def results_of(rows: Rows, spec: Spec, *, shuffled: bool = True) -> ChunkResults:
    """Judge every chunk; `shuffled`, the reference's rows come in another order than NannyML reads them in."""
    reference, analysis = rows
    fitted = fit_reference(reference.sample(frac=1, random_state=1) if shuffled else reference, spec)
    evaluated = [evaluate_chunk(fitted, spec, part) for _, part in split_by_chunk(analysis, spec.period, spec.zone)]
    return [{(result.subject, result.kind, result.method): result for result in results} for results in evaluated]


def theirs_of(calculator: Any, rows: Rows) -> pd.DataFrame:
    """Let one of NannyML's calculators or estimators judge the same chunks: a row each, columns by name and part."""
    reference, analysis = map(_without_zone, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calculator.fit(reference)
        run = calculator.estimate if hasattr(calculator, "estimate") else calculator.calculate
        frame: pd.DataFrame = run(analysis).filter(period="analysis").to_df()
    return frame


def _without_zone(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None)})


def with_classes(rows: Rows) -> Rows:
    """Predictions as NannyML wants classes: not as numbers, since those with gaps would turn into fractions."""
    reference, analysis = (part.assign(**{PREDICTION: part[PREDICTION].astype(object)}) for part in rows)
    return reference, analysis


def uncalibrated(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores without ties that are not probabilities: they need calibration."""
    noise = np.random.default_rng(3).uniform(-0.004, 0.004, len(rows))
    return rows.assign(**{SCORE: np.clip(rows[SCORE] + noise, 0, 1) ** 3})


def with_random_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels, predictions and scores of which some are missing."""
    rng = np.random.default_rng(4)
    return rows.assign(
        **{name: rows[name].astype(float).mask(rng.random(len(rows)) < 0.2) for name in (LABEL, PREDICTION, SCORE)}
    )


def named(theirs: pd.DataFrame, *names: str) -> list[dict[str, Any]]:
    """Return one column's or metric's numbers, a row for each chunk."""
    matching = [column for column in theirs.columns if tuple(column)[: len(names)] == names]
    return [
        dict(zip([column[-1] for column in matching], row, strict=True)) for row in theirs[matching].to_numpy().tolist()
    ]


def same(computed: float | None, theirs: Any) -> bool:
    """Whether a number is NannyML's; where it has none, so must we."""
    if theirs is None or pd.isna(theirs):
        return computed is None
    return computed == pytest.approx(float(theirs), rel=1e-9, abs=1e-9)


def assert_same(result: Result, row: dict[str, Any]) -> None:
    """Hold value, sampling error and both bounds of a result against NannyML's."""
    assert same(result.value, row["value"]), (result, row)
    assert_same_frame(result, row)


def assert_same_frame(result: Result, row: dict[str, Any]) -> None:
    """Hold what stands around a value: its sampling error and its bounds."""
    assert same(result.sampling_error, row["sampling_error"]), (result, row)
    assert same(result.bounds.lower, row["lower_threshold"]), (result, row)
    assert same(result.bounds.upper, row["upper_threshold"]), (result, row)
