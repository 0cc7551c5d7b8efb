"""Realized and estimated regression metrics equal those of scikit-learn and those computed by hand."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_log_error,
)

from driftline.engine.outcome import Outcome
from driftline.engine.performance.regression import loss_model, sampling
from driftline.engine.performance.regression.features import FeatureEncoding
from driftline.engine.performance.regression.loss_summary import LossSum
from driftline.engine.performance.regression.losses import LOSS_OF, Loss, losses, metric_of
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.results import Metric, ResultKind, State
from driftline.engine.spec import Spec
from driftline.errors import MissingLibrary, SchemaMismatch
from tests.unit.engine.performance.regression.price_builders import LOOSE, SPEC, price_rows

REFERENCE = price_rows(2_000)


@pytest.fixture(scope="module")
def fitted() -> RegressionPerformance:
    return RegressionPerformance.fit(REFERENCE, SPEC)


def _outcomes(
    fitted: RegressionPerformance, rows: pd.DataFrame, kind: ResultKind, spec: Spec = SPEC
) -> dict[str, Outcome]:
    outcomes = fitted.outcomes(fitted.summarize(rows, spec), spec)
    return {method: outcome for of, method, outcome in outcomes if of is kind}


def test_realized_metrics_equal_scikit_learns(fitted: RegressionPerformance) -> None:
    rows = price_rows(500, seed=1)
    truth, predictions = rows["label"], rows["prediction"]
    squared, logarithmic = mean_squared_error(truth, predictions), mean_squared_log_error(truth, predictions)
    values = {method: outcome.value for method, outcome in _outcomes(fitted, rows, ResultKind.REALIZED).items()}
    assert values == pytest.approx(
        {
            Metric.MAE: mean_absolute_error(truth, predictions),
            Metric.MAPE: mean_absolute_percentage_error(truth, predictions),
            Metric.MSE: squared,
            Metric.RMSE: squared**0.5,
            Metric.MSLE: logarithmic,
            Metric.RMSLE: logarithmic**0.5,
        },
        rel=1e-12,
    )


@pytest.mark.slow
def test_an_estimate_follows_the_features(fitted: RegressionPerformance) -> None:
    """Prices of old cars are harder to predict; the estimate shows it without labels and is accurate."""
    rows = price_rows(20_000, seed=2)
    old = rows[rows["age"] > 15]
    estimated = _outcomes(fitted, old.assign(label=np.nan), ResultKind.ESTIMATED)[Metric.MAE]
    realized = _outcomes(fitted, old, ResultKind.REALIZED)[Metric.MAE]
    all_cars = _outcomes(fitted, rows, ResultKind.ESTIMATED)[Metric.MAE]
    assert estimated.value == pytest.approx(realized.value, rel=0.05)
    assert estimated.value is not None
    assert all_cars.value is not None
    assert estimated.value > 1.3 * all_cars.value


def test_no_labels_are_pending(fitted: RegressionPerformance) -> None:
    realized = _outcomes(fitted, price_rows(200).assign(label=np.nan), ResultKind.REALIZED)
    assert {(o.value, o.state, o.rows) for o in realized.values()} == {(None, State.PENDING_LABELS, 0)}
    assert realized[Metric.MAE].reason == "none of 200 labels is known yet"


def test_too_few_rows_are_insufficient(fitted: RegressionPerformance) -> None:
    descriptions = {
        ResultKind.REALIZED: "labelled rows with a prediction",
        ResultKind.ESTIMATED: "rows with a prediction",
    }
    for kind, description in descriptions.items():
        outcomes = _outcomes(fitted, price_rows(99), kind)
        assert {outcome.reason for outcome in outcomes.values()} == {f"99 {description}, fewer than the minimum of 100"}


def test_each_metric_uses_the_rows_with_its_inputs(fitted: RegressionPerformance) -> None:
    """An infinite number counts as missing."""
    rows = price_rows(400)
    rows["label"] = rows["label"].mask(rows["id"] < 50)
    rows["prediction"] = rows["prediction"].mask(rows["id"] >= 380, np.inf)
    assert {outcome.rows for outcome in _outcomes(fitted, rows, ResultKind.REALIZED).values()} == {330}
    assert {outcome.rows for outcome in _outcomes(fitted, rows, ResultKind.ESTIMATED).values()} == {380}


@pytest.mark.parametrize("label", [1e-200, -5e-324])
def test_a_label_of_almost_0_has_no_percentage_error(fitted: RegressionPerformance, label: float) -> None:
    rows = price_rows(200)
    rows.loc[7, "label"] = label
    outcomes = _outcomes(fitted, rows, ResultKind.REALIZED)[Metric.MAPE]
    assert (outcomes.value, "1 of 200 rows have a label of 0 or almost 0" in str(outcomes.reason)) == (None, True)


@pytest.mark.parametrize("column", ["label", "prediction"])
def test_too_large_values_count_as_missing(fitted: RegressionPerformance, column: str) -> None:
    rows = price_rows(200)
    rows.loc[7, column] = 1e200
    assert _outcomes(fitted, rows, ResultKind.REALIZED)[Metric.RMSE].rows == 199


def test_a_loss_too_large_for_lightgbm_has_no_model() -> None:
    rows = price_rows(200)
    rows.loc[7, "label"] = 1e20
    outcomes = _outcomes(RegressionPerformance.fit(rows, LOOSE), rows, ResultKind.ESTIMATED)
    assert outcomes[Metric.MSE].reason == "1 of 200 labelled rows of the reference have a loss above 1e+37"
    assert outcomes[Metric.MAE].value is not None


def test_a_label_of_0_has_no_percentage_error(fitted: RegressionPerformance) -> None:
    """NannyML divides by 2e-16 instead."""
    rows = price_rows(200)
    rows.loc[7, "label"] = 0.0
    outcomes = _outcomes(fitted, rows, ResultKind.REALIZED)
    assert outcomes[Metric.MAPE].value is None
    assert outcomes[Metric.MAPE].reason == (
        "mape is not defined: 1 of 200 rows have a label of 0 or almost 0, for which a percentage error is undefined"
    )
    assert outcomes[Metric.MAE].value is not None


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_a_negative_prediction_has_no_logarithmic_error(fitted: RegressionPerformance, kind: ResultKind) -> None:
    """NannyML fails entirely, or estimates a value."""
    rows = price_rows(200)
    rows.loc[7, "prediction"] = -0.5
    outcomes = _outcomes(fitted, rows, kind)
    for metric in (Metric.MSLE, Metric.RMSLE):
        assert outcomes[metric].value is None
        assert "1 of 200 rows have a label or a prediction below 0" in str(outcomes[metric].reason)
    assert outcomes[Metric.MSE].value is not None


def test_percentages_are_of_the_absolute_label() -> None:
    """NannyML's sampling error counts percentages of negative labels as negative."""
    rows = REFERENCE.assign(label=-REFERENCE["label"], prediction=-REFERENCE["prediction"])
    spec = LOOSE.model_copy(update={"metrics": (Metric.MAPE,)})
    mirrored, original = (RegressionPerformance.fit(frame, spec).deviations for frame in (rows, REFERENCE))
    assert mirrored.error(Metric.MAPE, 100) == original.error(Metric.MAPE, 100)


def test_losses_undefined_in_the_reference_have_no_estimate() -> None:
    reference = REFERENCE.assign(label=REFERENCE["label"].mask(REFERENCE["id"] == 3, 0.0))
    fitted = RegressionPerformance.fit(reference.assign(prediction=reference["prediction"] - 4_500), SPEC)
    outcomes = _outcomes(fitted, price_rows(200), ResultKind.ESTIMATED)
    assert "1 of 2000 labelled rows of the reference have a label of 0" in str(outcomes[Metric.MAPE].reason)
    assert "labelled rows of the reference have a label or a prediction below 0" in str(outcomes[Metric.RMSLE].reason)
    assert outcomes[Metric.MSE].value is not None


def test_a_short_reference_has_no_estimate() -> None:
    fitted = RegressionPerformance.fit(price_rows(39), LOOSE)
    outcomes = _outcomes(fitted, price_rows(200), ResultKind.ESTIMATED, LOOSE)
    reason = "the reference has 39 labelled rows with a prediction, fewer than the minimum of 40"
    assert {(outcome.value, outcome.reason) for outcome in outcomes.values()} == {(None, reason)}
    unlabelled = RegressionPerformance.fit(REFERENCE.assign(label=np.nan), LOOSE)
    assert {outcome.value for outcome in _outcomes(unlabelled, price_rows(200), ResultKind.ESTIMATED).values()} == {
        None
    }


def test_only_required_losses_have_models() -> None:
    spec = SPEC.model_copy(update={"metrics": (Metric.MSE, Metric.RMSE)})
    assert list(RegressionPerformance.fit(REFERENCE, spec).dle.models) == [Loss.SQUARED]


def test_unwatched_features_are_required_too(fitted: RegressionPerformance) -> None:
    with pytest.raises(SchemaMismatch, match="missing: doors"):
        fitted.summarize(price_rows(20).drop(columns="doors"), SPEC)


def test_categories_are_numbered_and_unseen_ones_are_0() -> None:
    rows = pd.DataFrame({"fuel": ["gas", None, "diesel"], "age": 1.0, "doors": 2.0, "prediction": 3.0})
    encoding = FeatureEncoding.fit(rows, SPEC)
    later = rows.assign(fuel=pd.Series(["wood", "gas", None]), age=[np.inf, 1.0, 2.0])
    np.testing.assert_array_equal(encoding(later, SPEC)[:, 0], [np.nan, 1, 2])
    assert encoding(later, SPEC)[:, 1].tolist() == [0, 3, 1]
    assert FeatureEncoding.from_dict(encoding.to_dict())(later, SPEC)[:, 1].tolist() == [0, 3, 1]


def test_without_lightgbm_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'driftline\[dle\]'"):
        loss_model.fit(np.zeros((2, 1)), np.zeros(2), [])


def test_without_lightgbm_only_estimates_are_missing(
    monkeypatch: pytest.MonkeyPatch, fitted: RegressionPerformance
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    without, rows = RegressionPerformance.fit(REFERENCE, SPEC), price_rows(500, seed=1)
    assert _outcomes(without, rows, ResultKind.REALIZED) == _outcomes(fitted, rows, ResultKind.REALIZED)
    for outcome in _outcomes(without, rows, ResultKind.ESTIMATED).values():
        assert outcome.value is None
        assert outcome.reason is not None
        assert outcome.reason.endswith("pip install 'driftline[dle]', and fit the reference again")


@pytest.mark.parametrize("metric", [*LOOSE.metrics])
def test_errors_equal_the_spread_of_repeated_samples(metric: Metric) -> None:
    """The error of the root of a mean follows by the delta method."""
    outputs = Outputs.of(price_rows(40_000, seed=9))
    outcomes = losses(LOSS_OF[metric], outputs.labels, outputs.predictions)
    values = [metric_of(metric, LossSum.of(part).mean) for part in np.split(outcomes, 80)]
    deviations = sampling.fit(outputs, SPEC)
    assert deviations.error(metric, 500) == pytest.approx(np.std(values), rel=0.25)
    assert deviations.error(metric, 0) is None
