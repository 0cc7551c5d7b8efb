"""Realized and estimated metrics of a regression against scikit-learn, and by hand."""

import subprocess
import sys
from pathlib import Path

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
from driftline.engine.performance.regression.features import Encoding
from driftline.engine.performance.regression.losses import LOSS_OF, Loss, losses, metric_of
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.performance.regression.totals import Total
from driftline.engine.results import Metric, ResultKind, State
from driftline.engine.spec import Spec
from driftline.errors import MissingLibrary, SchemaMismatch
from tests.unit.engine.performance.regression.price_builders import LOOSE, SPEC, price_rows

REFERENCE = price_rows(2_000)
ROOT = Path(__file__).parents[5]


@pytest.fixture(scope="module")
def fitted() -> RegressionPerformance:
    return RegressionPerformance.fit(REFERENCE, SPEC)


def _found(
    fitted: RegressionPerformance, rows: pd.DataFrame, kind: ResultKind, spec: Spec = SPEC
) -> dict[str, Outcome]:
    found = fitted.outcomes(fitted.summarize(rows, spec), spec)
    return {method: outcome for of, method, outcome in found if of is kind}


def test_realized_metrics_are_scikit_learns(fitted: RegressionPerformance) -> None:
    rows = price_rows(500, seed=1)
    truth, said = rows["label"], rows["prediction"]
    squared, logarithmic = mean_squared_error(truth, said), mean_squared_log_error(truth, said)
    found = {method: outcome.value for method, outcome in _found(fitted, rows, ResultKind.REALIZED).items()}
    assert found == pytest.approx(
        {
            Metric.MAE: mean_absolute_error(truth, said),
            Metric.MAPE: mean_absolute_percentage_error(truth, said),
            Metric.MSE: squared,
            Metric.RMSE: squared**0.5,
            Metric.MSLE: logarithmic,
            Metric.RMSLE: logarithmic**0.5,
        },
        rel=1e-12,
    )


def test_an_estimate_follows_the_features(fitted: RegressionPerformance) -> None:
    """Prices of old cars are harder to predict: the estimate says so without a label, and comes true."""
    rows = price_rows(20_000, seed=2)
    old = rows[rows["age"] > 15]
    estimated = _found(fitted, old.assign(label=np.nan), ResultKind.ESTIMATED)[Metric.MAE]
    realized = _found(fitted, old, ResultKind.REALIZED)[Metric.MAE]
    all_cars = _found(fitted, rows, ResultKind.ESTIMATED)[Metric.MAE]
    assert estimated.value == pytest.approx(realized.value, rel=0.05)
    assert estimated.value is not None
    assert all_cars.value is not None
    assert estimated.value > 1.3 * all_cars.value


def test_no_labels_are_pending(fitted: RegressionPerformance) -> None:
    realized = _found(fitted, price_rows(200).assign(label=np.nan), ResultKind.REALIZED)
    assert {(o.value, o.state, o.rows) for o in realized.values()} == {(None, State.PENDING_LABELS, 0)}
    assert realized[Metric.MAE].reason == "none of 200 labels is known yet"


def test_few_rows_say_nothing(fitted: RegressionPerformance) -> None:
    words = {ResultKind.REALIZED: "labelled rows with a prediction", ResultKind.ESTIMATED: "rows with a prediction"}
    for kind, what in words.items():
        found = _found(fitted, price_rows(99), kind)
        assert {outcome.reason for outcome in found.values()} == {f"99 {what}, fewer than the minimum of 100"}


def test_each_metric_uses_the_rows_that_it_can(fitted: RegressionPerformance) -> None:
    """An infinite number counts as missing."""
    rows = price_rows(400)
    rows["label"] = rows["label"].mask(rows["id"] < 50)
    rows["prediction"] = rows["prediction"].mask(rows["id"] >= 380, np.inf)
    assert {outcome.rows for outcome in _found(fitted, rows, ResultKind.REALIZED).values()} == {330}
    assert {outcome.rows for outcome in _found(fitted, rows, ResultKind.ESTIMATED).values()} == {380}


@pytest.mark.parametrize("label", [1e-200, -5e-324])
def test_nor_of_a_label_that_is_as_good_as_0(fitted: RegressionPerformance, label: float) -> None:
    rows = price_rows(200)
    rows.loc[7, "label"] = label
    found = _found(fitted, rows, ResultKind.REALIZED)[Metric.MAPE]
    assert (found.value, "1 of 200 rows have a label of 0, or as good as 0" in str(found.reason)) == (None, True)


@pytest.mark.parametrize("column", ["label", "prediction"])
def test_what_is_too_large_counts_as_missing(fitted: RegressionPerformance, column: str) -> None:
    rows = price_rows(200)
    rows.loc[7, column] = 1e200
    assert _found(fitted, rows, ResultKind.REALIZED)[Metric.RMSE].rows == 199


def test_a_loss_that_lightgbm_has_no_number_for_is_not_learnt() -> None:
    rows = price_rows(200)
    rows.loc[7, "label"] = 1e20
    found = _found(RegressionPerformance.fit(rows, LOOSE), rows, ResultKind.ESTIMATED)
    assert found[Metric.MSE].reason == "1 of 200 labelled rows of the reference have a loss above 1e+37"
    assert found[Metric.MAE].value is not None


def test_an_error_has_no_percentage_of_a_label_of_0(fitted: RegressionPerformance) -> None:
    """NannyML divides by 2e-16 instead."""
    rows = price_rows(200)
    rows.loc[7, "label"] = 0.0
    found = _found(fitted, rows, ResultKind.REALIZED)
    assert found[Metric.MAPE].value is None
    assert found[Metric.MAPE].reason == (
        "mape is not defined: 1 of 200 rows have a label of 0, or as good as 0, of which an error has no percentage"
    )
    assert found[Metric.MAE].value is not None


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_a_negative_prediction_has_no_logarithmic_error(fitted: RegressionPerformance, kind: ResultKind) -> None:
    """NannyML fails as a whole, or estimates one."""
    rows = price_rows(200)
    rows.loc[7, "prediction"] = -0.5
    found = _found(fitted, rows, kind)
    for metric in (Metric.MSLE, Metric.RMSLE):
        assert found[metric].value is None
        assert "1 of 200 rows have a label or a prediction below 0" in str(found[metric].reason)
    assert found[Metric.MSE].value is not None


def test_percentages_are_of_the_size_of_a_label() -> None:
    """NannyML's sampling error takes those of negative labels for negative."""
    rows = REFERENCE.assign(label=-REFERENCE["label"], prediction=-REFERENCE["prediction"])
    spec = LOOSE.model_copy(update={"metrics": (Metric.MAPE,)})
    mirrored, straight = (RegressionPerformance.fit(frame, spec).deviations for frame in (rows, REFERENCE))
    assert mirrored.error(Metric.MAPE, 100) == straight.error(Metric.MAPE, 100)


def test_losses_that_a_reference_lacks_cannot_be_estimated() -> None:
    reference = REFERENCE.assign(label=REFERENCE["label"].mask(REFERENCE["id"] == 3, 0.0))
    fitted = RegressionPerformance.fit(reference.assign(prediction=reference["prediction"] - 4_500), SPEC)
    found = _found(fitted, price_rows(200), ResultKind.ESTIMATED)
    assert "1 of 2000 labelled rows of the reference have a label of 0" in str(found[Metric.MAPE].reason)
    assert "labelled rows of the reference have a label or a prediction below 0" in str(found[Metric.RMSLE].reason)
    assert found[Metric.MSE].value is not None


def test_a_short_reference_cannot_be_learnt_from() -> None:
    fitted = RegressionPerformance.fit(price_rows(39), LOOSE)
    found = _found(fitted, price_rows(200), ResultKind.ESTIMATED, LOOSE)
    said = "the reference has 39 labelled rows with a prediction, fewer than the 40 to learn from"
    assert {(outcome.value, outcome.reason) for outcome in found.values()} == {(None, said)}
    unlabelled = RegressionPerformance.fit(REFERENCE.assign(label=np.nan), LOOSE)
    assert {outcome.value for outcome in _found(unlabelled, price_rows(200), ResultKind.ESTIMATED).values()} == {None}


def test_only_the_losses_that_the_metrics_need_are_learnt() -> None:
    spec = SPEC.model_copy(update={"metrics": (Metric.MSE, Metric.RMSE)})
    assert list(RegressionPerformance.fit(REFERENCE, spec).dle.models) == [Loss.SQUARED]


def test_features_that_are_not_watched_are_needed_too(fitted: RegressionPerformance) -> None:
    with pytest.raises(SchemaMismatch, match="missing: doors"):
        fitted.summarize(price_rows(20).drop(columns="doors"), SPEC)


def test_categories_are_numbered_and_unseen_ones_are_0() -> None:
    seen = pd.DataFrame({"fuel": ["gas", None, "diesel"], "age": 1.0, "doors": 2.0, "prediction": 3.0})
    encoding = Encoding.fit(seen, SPEC)
    later = seen.assign(fuel=pd.Series(["wood", "gas", None]), age=[np.inf, 1.0, 2.0])
    np.testing.assert_array_equal(encoding(later, SPEC)[:, 0], [np.nan, 1, 2])
    assert encoding(later, SPEC)[:, 1].tolist() == [0, 3, 1]
    assert Encoding.from_dict(encoding.to_dict())(later, SPEC)[:, 1].tolist() == [0, 3, 1]


def test_without_lightgbm_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'driftline\[dle\]'"):
        loss_model.fit(np.zeros((2, 1)), np.zeros(2), [])


def test_without_lightgbm_metrics_are_realized_and_estimates_say_why_not(
    monkeypatch: pytest.MonkeyPatch, fitted: RegressionPerformance
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    without, rows = RegressionPerformance.fit(REFERENCE, SPEC), price_rows(500, seed=1)
    assert _found(without, rows, ResultKind.REALIZED) == _found(fitted, rows, ResultKind.REALIZED)
    for outcome in _found(without, rows, ResultKind.ESTIMATED).values():
        assert outcome.value is None
        assert outcome.reason is not None
        assert outcome.reason.endswith("pip install 'driftline[dle]', and fit the reference again")


def test_lightgbm_is_imported_when_first_used() -> None:
    """It takes longer than all of the engine, which binary models need no more of."""
    asked = "import sys, driftline.engine.evaluate; sys.exit('lightgbm' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True, env={"PYTHONPATH": "src"}, cwd=ROOT)


@pytest.mark.parametrize("metric", [*LOOSE.metrics])
def test_sampling_errors_are_the_spread_of_repeated_samples(metric: Metric) -> None:
    """That of a root of a mean is by the delta method."""
    outputs = Outputs.of(price_rows(40_000, seed=9))
    found = losses(LOSS_OF[metric], outputs.labels, outputs.predictions)
    values = [metric_of(metric, Total.of(part).mean) for part in np.split(found, 80)]
    deviations = sampling.fit(outputs, SPEC)
    assert deviations.error(metric, 500) == pytest.approx(np.std(values), rel=0.25)
    assert deviations.error(metric, 0) is None
