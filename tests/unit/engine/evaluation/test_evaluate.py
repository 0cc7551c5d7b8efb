import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import MODEL, Method, Metric, Quality, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec, ThresholdPolicy
from driftline.errors import InvalidInput, SchemaMismatch
from tests.unit.engine.frame_builders import SPEC, scored_rows

ROWS = 400


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(10 * ROWS, days=10), SPEC)


@pytest.fixture
def rows() -> pd.DataFrame:
    return scored_rows(ROWS, seed=1)


def _of(results: tuple[Result, ...], subject: str, kind: ResultKind, method: str) -> Result:
    return next(r for r in results if (r.subject, r.kind, r.method) == (subject, kind, method))


def _of_kind(results: tuple[Result, ...], kind: ResultKind) -> list[Result]:
    return [result for result in results if result.kind is kind]


def test_all_that_the_spec_asks_for_and_nothing_else(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows)
    keys = {(r.subject, r.kind, r.method) for r in results}
    continuous = {
        (c, ResultKind.DRIFT, m) for c in ("usage", "calls", "probability_1") for m in SPEC.continuous_methods
    }
    categorical = {(c, ResultKind.DRIFT, m) for c in ("plan", "prediction") for m in SPEC.categorical_methods}
    performance = {
        (MODEL, kind, metric) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED) for metric in SPEC.metrics
    }
    columns = {c for c, _, _ in continuous | categorical}
    assert keys == continuous | categorical | performance | {
        (c, ResultKind.QUALITY, Quality.MISSING_VALUES) for c in columns
    }
    assert len(keys) == len(results)
    json.dumps([asdict(result) for result in results])


def test_undisturbed_rows_are_within_their_bounds(fitted: FittedReference, rows: pd.DataFrame) -> None:
    states = [result.state for result in evaluate_chunk(fitted, SPEC, rows)]
    assert states.count(State.OK) >= len(states) - 1
    assert set(states) <= {State.OK, State.WARN}


def test_a_broken_unit_is_out_of_bounds(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(usage=rows["usage"] * 60))
    for method in SPEC.continuous_methods:
        assert _of(results, "usage", ResultKind.DRIFT, method).state is State.WARN
        assert _of(results, "calls", ResultKind.DRIFT, method).state is State.OK


def test_an_empty_chunk_has_no_data(fitted: FittedReference, rows: pd.DataFrame) -> None:
    for result in evaluate_chunk(fitted, SPEC, rows[:0]):
        assert (result.value, result.rows, result.state) == (None, 0, State.NO_DATA)
        assert result.reason == "no rows in this chunk"


@pytest.mark.parametrize("unknown", [None, float("nan"), pd.NA])
def test_without_labels_realized_waits_and_estimates_speak(
    fitted: FittedReference, rows: pd.DataFrame, unknown: object
) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(label=pd.Series([unknown] * ROWS, dtype=object)))
    for result in _of_kind(results, ResultKind.REALIZED):
        assert (result.value, result.rows, result.state) == (None, 0, State.PENDING_LABELS)
        assert result.reason == "none of 400 labels is known yet"
    for result in _of_kind(results, ResultKind.ESTIMATED):
        assert result.value is not None
        assert result.rows == ROWS


def test_realized_is_of_the_labelled_rows_alone(fitted: FittedReference, rows: pd.DataFrame) -> None:
    partly = rows.assign(label=rows["label"].astype("Int64").mask(rows["id"] >= 250))
    results, of_those = evaluate_chunk(fitted, SPEC, partly), evaluate_chunk(fitted, SPEC, rows[:250])
    for metric in SPEC.metrics:
        result = _of(results, MODEL, ResultKind.REALIZED, metric)
        assert result == _of(of_those, MODEL, ResultKind.REALIZED, metric)
        assert result.rows == 250
        assert _of(results, MODEL, ResultKind.ESTIMATED, metric).rows == ROWS


@pytest.mark.parametrize(
    ("labels", "reason"), [(60, "60 labelled rows, fewer than the minimum of 100"), (99, "99 labelled")]
)
def test_too_few_labels_say_nothing(fitted: FittedReference, rows: pd.DataFrame, labels: int, reason: str) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(label=rows["label"].mask(rows["id"] >= labels)))
    for result in _of_kind(results, ResultKind.REALIZED):
        assert (result.value, result.rows, result.state) == (None, labels, State.INSUFFICIENT)
        assert result.reason
        assert f"{labels} labelled rows" in result.reason


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_says_nothing(fitted: FittedReference, rows: pd.DataFrame, label: int) -> None:
    for result in _of_kind(evaluate_chunk(fitted, SPEC, rows.assign(label=label)), ResultKind.REALIZED):
        assert (result.value, result.rows, result.state) == (None, ROWS, State.INSUFFICIENT)
        assert result.reason == f"all 400 labelled rows are of class {label}; both classes are needed"


def test_too_few_of_the_rarer_class_say_nothing(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(label=(rows["id"] < 9).astype(int), probability_1=0.0)[:120])
    for result in _of_kind(results, ResultKind.REALIZED):
        assert result.reason == "9 labelled rows of class 1, fewer than the minimum of 10"
    for result in _of_kind(results, ResultKind.ESTIMATED):
        assert result.value is None
        assert "expected of the rarer class" in (result.reason or "")


def test_a_model_that_finds_nothing_has_f1_0(fitted: FittedReference, rows: pd.DataFrame) -> None:
    """Where NannyML gives none: the worst a model can do is not "undefined"."""
    result = _of(evaluate_chunk(fitted, SPEC, rows.assign(prediction=0)), MODEL, ResultKind.REALIZED, Metric.F1)
    assert (result.value, result.state) == (0.0, State.WARN)


def test_few_rows_say_nothing_of_drift_or_quality(fitted: FittedReference, rows: pd.DataFrame) -> None:
    for result in evaluate_chunk(fitted, SPEC, rows[:99]):
        assert (result.value, result.state) == (None, State.INSUFFICIENT)
        assert "fewer than the minimum of 100" in (result.reason or "")


def test_a_column_that_is_all_missing(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(usage=None, plan=None))
    for column in ("usage", "plan"):
        drift = _of(results, column, ResultKind.DRIFT, Method.JENSEN_SHANNON)
        assert (drift.value, drift.rows, drift.state) == (None, 0, State.INSUFFICIENT)
        assert drift.reason == "0 values that are not missing, fewer than the minimum of 100"
        missing = _of(results, column, ResultKind.QUALITY, Quality.MISSING_VALUES)
        assert (missing.value, missing.rows, missing.state) == (1.0, ROWS, State.WARN)


def test_infinite_values_are_missing_values(fitted: FittedReference, rows: pd.DataFrame) -> None:
    infinite = rows.assign(calls=rows["calls"].mask(rows["id"] < 8, np.inf).mask(rows["id"] < 4, -np.inf))
    missing = evaluate_chunk(fitted, SPEC, rows.assign(calls=rows["calls"].mask(rows["id"] < 8)))
    results = evaluate_chunk(fitted, SPEC, infinite)
    for method in SPEC.continuous_methods:
        assert _of(results, "calls", ResultKind.DRIFT, method) == _of(missing, "calls", ResultKind.DRIFT, method)
    quality = _of(results, "calls", ResultKind.QUALITY, Quality.MISSING_VALUES)
    assert quality.value == 8 / ROWS
    assert quality.reason == "8 infinite values (above 1e+70 in size) count as missing"
    assert quality.state is State.WARN


def test_unseen_categories_are_drift(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows.assign(plan="gold"))
    assert _of(results, "plan", ResultKind.DRIFT, Method.JENSEN_SHANNON).value == pytest.approx(1)
    chi2 = _of(results, "plan", ResultKind.DRIFT, Method.CHI2)
    assert chi2.value == pytest.approx(11 * ROWS)
    assert (chi2.p_value, chi2.state) == (0.0, State.WARN)


def test_a_constant_column() -> None:
    constant = scored_rows(10 * ROWS, days=10).assign(calls=7.0)
    fitted = fit_reference(constant, SPEC)
    chunk = scored_rows(ROWS, seed=1)
    same = evaluate_chunk(fitted, SPEC, chunk.assign(calls=7.0))
    moved = evaluate_chunk(fitted, SPEC, chunk.assign(calls=7.25))
    for method, distance in ((Method.KOLMOGOROV_SMIRNOV, 1.0), (Method.WASSERSTEIN, 0.25)):
        before, after = _of(same, "calls", ResultKind.DRIFT, method), _of(moved, "calls", ResultKind.DRIFT, method)
        assert (before.value, before.state) == (0.0, State.OK)
        assert (after.value, after.state) == (distance, State.WARN)
    assert _of(moved, "calls", ResultKind.DRIFT, Method.WASSERSTEIN).effect is None


def test_a_column_that_the_reference_never_had() -> None:
    fitted = fit_reference(scored_rows(10 * ROWS, days=10).assign(calls=np.nan, plan=None), SPEC)
    results = evaluate_chunk(fitted, SPEC, scored_rows(ROWS, seed=1))
    for column in ("calls", "plan"):
        result = _of(results, column, ResultKind.DRIFT, Method.JENSEN_SHANNON)
        assert (result.value, result.rows, result.state) == (None, ROWS, State.INSUFFICIENT)
        assert result.reason == "the reference has no values of this column to compare with"
        assert _of(results, column, ResultKind.QUALITY, Quality.MISSING_VALUES).value == 0.0


def test_a_reference_without_labels_cannot_calibrate() -> None:
    fitted = fit_reference(scored_rows(10 * ROWS, days=10).assign(label=np.nan), SPEC)
    results = evaluate_chunk(fitted, SPEC, scored_rows(ROWS, seed=1))
    for result in _of_kind(results, ResultKind.ESTIMATED):
        assert (result.value, result.state) == (None, State.INSUFFICIENT)
        assert "to calibrate on" in (result.reason or "")
    assert all(result.value is not None for result in _of_kind(results, ResultKind.REALIZED))


def test_a_reference_with_gaps_can_be_calibrated(rows: pd.DataFrame) -> None:
    """Where NannyML refuses it."""
    reference = scored_rows(10 * ROWS, days=10)
    gaps = reference.assign(
        label=reference["label"].mask(reference["id"] % 7 == 0),
        probability_1=reference["probability_1"].mask(reference["id"] % 5 == 0),
    )
    for result in _of_kind(evaluate_chunk(fit_reference(gaps, SPEC), SPEC, rows), ResultKind.ESTIMATED):
        assert (result.state, result.rows) == (State.OK, ROWS)


def test_a_short_reference_says_why_its_bounds_are_constant() -> None:
    fitted = fit_reference(scored_rows(2 * ROWS, days=2), SPEC)
    result = _of(
        evaluate_chunk(fitted, SPEC, scored_rows(ROWS, seed=1)), "calls", ResultKind.DRIFT, Method.JENSEN_SHANNON
    )
    assert result.bounds.upper == 0.1
    assert "The reference has 2 usable chunks" in (result.reason or "")


def test_estimates_are_held_against_realized_performance(fitted: FittedReference, rows: pd.DataFrame) -> None:
    results = evaluate_chunk(fitted, SPEC, rows)
    for metric in SPEC.metrics:
        estimated, realized = (
            _of(results, MODEL, kind, metric) for kind in (ResultKind.ESTIMATED, ResultKind.REALIZED)
        )
        assert estimated.bounds == realized.bounds
        assert estimated.value == pytest.approx(realized.value, abs=5 * (realized.sampling_error or 0))


def test_bounds_by_policy(rows: pd.DataFrame) -> None:
    spec = SPEC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML})
    results = evaluate_chunk(fit_reference(scored_rows(10 * ROWS, days=10), spec), spec, rows)
    assert _of(results, MODEL, ResultKind.REALIZED, Metric.ROC_AUC).bounds.upper is not None


def test_labels_and_predictions_are_0_1_or_missing(fitted: FittedReference, rows: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="'label' must hold 0, 1 or nothing; 400 rows hold others, such as 2"):
        evaluate_chunk(fitted, SPEC, rows.assign(label=2))
    with pytest.raises(InvalidInput, match="'prediction' must hold 0, 1 or nothing"):
        evaluate_chunk(fitted, SPEC, rows.assign(prediction=0.5))


def test_text_in_a_continuous_column_is_refused(fitted: FittedReference, rows: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match=r"'calls' has .* not .*number.*; clean it, or declare it categorical"):
        evaluate_chunk(fitted, SPEC, rows.assign(calls="many"))


def test_missing_columns_are_named_beside_the_available(fitted: FittedReference, rows: pd.DataFrame) -> None:
    with pytest.raises(SchemaMismatch, match=r"missing: usage, label\. Available: event_time, id, calls, plan"):
        evaluate_chunk(fitted, SPEC, rows.drop(columns=["usage", "label"]))


def test_a_reference_of_another_spec_is_refused(fitted: FittedReference, rows: pd.DataFrame) -> None:
    wider = SPEC.model_copy(update={"columns": (*SPEC.columns, ColumnSpec(name="age"))})
    with pytest.raises(InvalidInput, match="not fitted for age; fit it again"):
        evaluate_chunk(fitted, wider, rows.assign(age=1.0))
    other = SPEC.model_copy(update={"continuous_methods": (Method.WASSERSTEIN,)})
    one_method = fit_reference(scored_rows(10 * ROWS, days=10), other)
    with pytest.raises(InvalidInput, match="not fitted for usage drift kolmogorov_smirnov; fit it again"):
        evaluate_chunk(one_method, SPEC.model_copy(update={"continuous_methods": (Method.KOLMOGOROV_SMIRNOV,)}), rows)


def test_a_method_that_a_kind_has_not_is_left_out(rows: pd.DataFrame) -> None:
    spec = SPEC.model_copy(update={"categorical_methods": (Method.WASSERSTEIN, Method.CHI2)})
    results = evaluate_chunk(fit_reference(scored_rows(10 * ROWS, days=10), spec), spec, rows)
    assert [r.method for r in _of_kind(results, ResultKind.DRIFT) if r.subject == "plan"] == [Method.CHI2]


@pytest.mark.slow
def test_a_fitted_reference_stays_small() -> None:
    spec = Spec(columns=tuple(ColumnSpec(name=f"x{n}") for n in range(28)))
    rng = np.random.default_rng(1)
    wide = {name: rng.normal(size=14_000) for name in spec.features}
    fitted = fit_reference(scored_rows(14_000, days=14).assign(**wide), spec)
    assert len(fitted.to_json()) < 2_000_000
