"""Standard errors compared with the spread of repeated samples."""

import json

import numpy as np
import pandas as pd
import pytest

from driftline.engine.performance.binary import realized, sampling
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.results import Metric
from driftline.engine.spec import Spec
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.binary.score_builders import ALL, LOOSE, PER_PREDICTION

EMPTY = np.empty(0)


def _fitted(rows: pd.DataFrame, spec: Spec = LOOSE) -> SamplingErrors:
    scores, predictions, labels = (rows[name].to_numpy(float) for name in ("probability_1", "prediction", "label"))
    return sampling.fit(scores, predictions, labels, spec)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return scored_rows(40_000)


@pytest.fixture(scope="module")
def samples(rows: pd.DataFrame) -> dict[Metric, list[float]]:
    """Return the values of each metric in 80 samples of 500 rows."""
    parts = [BinaryRows.of(rows[start : start + 500]) for start in range(0, len(rows), 500)]
    outcomes = [dict(realized.outcomes(SamplingErrors({}), part, LOOSE)) for part in parts]
    return {metric: [part[metric].value or 0.0 for part in outcomes] for metric in ALL}


@pytest.mark.slow
@pytest.mark.parametrize("metric", [metric for metric in ALL if metric is not Metric.CALIBRATION_ERROR])
def test_errors_equal_the_spread_of_repeated_samples(
    metric: Metric, rows: pd.DataFrame, samples: dict[Metric, list[float]]
) -> None:
    """NannyML's formula, which is used here, overstates the error of F1."""
    tolerance = 0.5 if metric is Metric.F1 else 0.25
    assert _fitted(rows).of(metric, 500) == pytest.approx(np.std(samples[metric]), rel=tolerance)


def test_a_calibration_error_has_no_standard_error(rows: pd.DataFrame) -> None:
    assert _fitted(rows).of(Metric.CALIBRATION_ERROR, 500) is None


def test_the_error_of_a_loss_is_its_deviation_over_root_rows(rows: pd.DataFrame) -> None:
    losses = (rows["probability_1"] - rows["label"]) ** 2
    assert _fitted(rows).of(Metric.BRIER, 400) == pytest.approx(float(np.std(losses)) / 20, rel=1e-12)


def test_a_mean_has_the_error_of_the_total_over_rows(rows: pd.DataFrame) -> None:
    total = _fitted(rows).of(Metric.BUSINESS_VALUE, 400)
    mean = _fitted(rows, PER_PREDICTION).of(Metric.BUSINESS_VALUE, 400)
    assert total is not None
    assert mean == pytest.approx(total / 400, rel=1e-12)


def test_a_reference_of_one_class_has_no_error_of_roc_auc() -> None:
    ones = np.ones(5)
    errors = sampling.fit(np.linspace(0, 1, 5), ones, ones, LOOSE)
    assert errors.of(Metric.ROC_AUC, 100) is None
    assert errors.of(Metric.SPECIFICITY, 100) is None
    assert errors.of(Metric.ACCURACY, 100) == 0


def test_a_single_positive_below_all_has_no_error_of_roc_auc() -> None:
    errors = sampling.fit(np.array([0.1, 0.2, 0.3]), np.zeros(3), np.array([1.0, 0.0, 0.0]), LOOSE)
    assert Metric.ROC_AUC not in errors.spreads


def test_without_positives_metrics_of_them_have_no_error() -> None:
    none = np.zeros(6)
    errors = sampling.fit(np.linspace(0, 1, 6), none, none, LOOSE)
    undefined = {Metric.AVERAGE_PRECISION, Metric.PRECISION, Metric.RECALL, Metric.F1}
    assert undefined.isdisjoint(errors.spreads)


def test_losses_of_invalid_probabilities_have_no_error() -> None:
    labels = np.array([0.0, 1.0, 0.0, 1.0])
    errors = sampling.fit(np.array([-1.0, 2.0, 0.5, 0.7]), labels, labels, LOOSE)
    assert {Metric.LOG_LOSS, Metric.BRIER}.isdisjoint(errors.spreads)
    assert Metric.ROC_AUC in errors.spreads


def test_no_rows_have_no_error() -> None:
    assert sampling.fit(EMPTY, EMPTY, EMPTY, LOOSE).spreads == {}
    assert _fitted(scored_rows(100)).of(Metric.ACCURACY, 0) is None


def test_errors_survive_json(rows: pd.DataFrame) -> None:
    errors = _fitted(rows[:2_000])
    assert SamplingErrors.from_dict(json.loads(json.dumps(errors.to_dict()))) == errors


def test_the_scatter_of_f1_is_closer_than_nannymls_error(
    rows: pd.DataFrame, samples: dict[Metric, list[float]]
) -> None:
    errors, spread = _fitted(rows), float(np.std(samples[Metric.F1], ddof=1))
    error, scatter = errors.of(Metric.F1, 500), errors.scatter(Metric.F1, 500)
    assert error is not None and scatter is not None
    assert scatter == pytest.approx(spread, rel=0.2)
    assert error > 1.25 * scatter
    assert errors.scatter(Metric.ACCURACY, 500) == errors.of(Metric.ACCURACY, 500)
    assert SamplingErrors.from_dict(json.loads(json.dumps(errors.to_dict()))) == errors
