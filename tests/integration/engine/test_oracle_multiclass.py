"""Every multiclass value, bound and sampling error against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

from importlib import resources
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import METRICS, ColumnKind, Problem
from driftline.engine.performance.multiclass.confusion import cell_name
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.results import EVENT_TIME, ID, LABEL, MODEL, PREDICTION, Metric, ResultKind
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.oracle import ChunkResults, Rows, assert_same_frame, named, results_of, same, theirs_of

CLASSES = ("upmarket_card", "prepaid_card", "highstreet_card")
PROBA = {name: f"probability_{name}" for name in CLASSES}
SPEC = Spec(
    problem=Problem.MULTICLASS,
    classes=CLASSES,
    columns=(
        ColumnSpec(name="stated_income"),
        ColumnSpec(name="acq_channel", kind=ColumnKind.CATEGORICAL),
    ),
    period=Period.MONTH,
    minimum_rows=2,
    minimum_class_rows=1,
    metrics=METRICS[Problem.MULTICLASS],
    thresholds=ThresholdPolicy.NANNYML,
)


@pytest.fixture(scope="module")
def cards(nannyml: ModuleType) -> Rows:
    """Two slices of NannyML's credit card data, some months of each."""
    folder = resources.files(nannyml) / "datasets" / "data"
    reference, analysis, labels = (
        pd.read_csv(str(folder / f"mc_{part}.csv")) for part in ("reference", "analysis", "analysis_gt")
    )
    return _in_our_shape(reference[:59_000:40]), _in_our_shape(analysis.merge(labels, on="id")[-24_000::24])


def _in_our_shape(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"id": ID, "timestamp": EVENT_TIME, "y_pred": PREDICTION, "y_true": LABEL}
    shaped = rows.rename(columns=names | {f"y_pred_proba_{name}": PROBA[name] for name in CLASSES})
    shaped[EVENT_TIME] = pd.to_datetime(shaped[EVENT_TIME], utc=True)
    return shaped


def _without_ties(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Scores of which no two are equal, and which are not probabilities: they need calibration."""
    scores = rows[list(PROBA.values())].to_numpy() + np.random.default_rng(seed).uniform(1e-3, 2e-2, (len(rows), 3))
    scores = scores**3
    return rows.assign(**dict(zip(PROBA.values(), (scores / scores.sum(axis=1, keepdims=True)).T, strict=True)))


@pytest.fixture(scope="module", params=[False, True], ids=["ties", "uncalibrated"])
def case(request: pytest.FixtureRequest, cards: Rows) -> Rows:
    """NannyML's scores, which have two decimals, and distorted ones of which no two are equal."""
    if not request.param:
        return cards
    return _without_ties(cards[0], 1), _without_ties(cards[1], 2)


@pytest.fixture(scope="module")
def computed(case: Rows) -> ChunkResults:
    chunks = results_of(case, SPEC)
    assert len(chunks) >= 2
    assert all(result.value is not None for chunk in chunks for result in chunk.values())
    return chunks


def _calculator(kind: Any, metrics: tuple[Metric, ...] = SPEC.metrics) -> Any:
    return kind(
        y_pred_proba=PROBA,
        y_pred=PREDICTION,
        y_true=LABEL,
        timestamp_column_name=EVENT_TIME,
        problem_type="classification_multiclass",
        metrics=[metric.value for metric in metrics],
        chunk_period="M",
    )


def _methods() -> dict[str, str]:
    """What NannyML calls each of our results."""
    cells = {cell_name(t, p): f"true_{t}_pred_{p}" for t in CLASSES for p in CLASSES}
    return {metric: metric for metric in SPEC.metrics if metric is not Metric.CONFUSION_MATRIX} | cells


def _tied(case: Rows) -> bool:
    return bool(case[1][PROBA[CLASSES[0]]].duplicated().any())


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_values_bounds_and_errors(nannyml: ModuleType, case: Rows, computed: ChunkResults, kind: ResultKind) -> None:
    theirs = theirs_of(
        _calculator(nannyml.PerformanceCalculator if kind is ResultKind.REALIZED else nannyml.CBPE), case
    )
    assert len(theirs) == len(computed)
    assert len(_methods()) == 6 + 9
    for method, name in _methods().items():
        for chunk, row in zip(computed, named(theirs, name), strict=True):
            result = chunk[MODEL, kind, method]
            by_chance = method == Metric.ROC_AUC and kind is ResultKind.ESTIMATED and _tied(case)
            assert by_chance or same(result.value, row["value"]), (result, row)
            assert_same_frame(result, row)


def test_an_estimated_area_with_ties_is_near_nannymls(nannyml: ModuleType, cards: Rows) -> None:
    """NannyML takes rows of equal score one by one, as its sort happens to leave them (docs/deviations.md)."""
    theirs = named(theirs_of(_calculator(nannyml.CBPE, (Metric.ROC_AUC,)), cards), Metric.ROC_AUC.value)
    computed = [chunk[MODEL, ResultKind.ESTIMATED, Metric.ROC_AUC].value for chunk in results_of(cards, SPEC)]
    assert computed == pytest.approx([row["value"] for row in theirs], abs=2e-3)


def test_both_decisions_on_calibration_are_compared(nannyml: ModuleType, cards: Rows) -> None:
    """Which of NannyML's own scores need calibration depends on the processor: numpy sorts ties by its instructions."""
    required = []
    for rows in (cards[0], _without_ties(cards[0], 1)):
        curves = MulticlassPerformance.fit(rows, SPEC).cbpe.calibrations
        decisions = [bool(len(curve.scores)) for curve in curves]
        assert decisions == [_needs_calibration(nannyml, rows, name) for name in CLASSES]
        required.append(decisions)
    assert {*required[0]} == {True, False}
    assert required[1] == [True, True, True]


def _needs_calibration(nannyml: ModuleType, rows: pd.DataFrame, name: str) -> bool:
    calibration = nannyml.calibration
    labels = (rows[LABEL] == name).astype(int).reset_index(drop=True)
    scores = rows[PROBA[name]].reset_index(drop=True)
    return bool(calibration.needs_calibration(labels, scores, calibration.IsotonicCalibrator()))
