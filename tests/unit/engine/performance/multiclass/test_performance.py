"""Realized and estimated multiclass metrics equal those of scikit-learn and those computed by hand."""

from functools import cache
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score, roc_auc_score

from driftline.engine.outcome import Outcome
from driftline.engine.performance.multiclass.confusion import cell_name
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.performance.multiclass.roc import expected_roc_aucs, realized_roc_aucs
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.results import Metric, ResultKind, State
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, LOOSE, SCORES, SPEC, class_rows

REFERENCE = class_rows(2_000)


def _outcomes(
    rows: pd.DataFrame, kind: ResultKind, spec: Spec = LOOSE, reference: pd.DataFrame = REFERENCE
) -> dict[str, Outcome]:
    usual = reference is REFERENCE and spec is LOOSE
    fitted = _usual_fit() if usual else MulticlassPerformance.fit(reference, spec)
    outcomes = fitted.outcomes(fitted.summarize(rows, spec), spec)
    return {method: outcome for of, method, outcome in outcomes if of is kind}


@cache
def _usual_fit() -> MulticlassPerformance:
    return MulticlassPerformance.fit(REFERENCE, LOOSE)


@pytest.mark.slow
@given(st.integers(20, 80), st.integers(0, 999))
def test_realized_metrics_are_exact_with_ties(count: int, seed: int) -> None:
    rows = pd.concat([class_rows(count, seed=seed), class_rows(3).assign(label=CLASSES, prediction=CLASSES)])
    values = {method: outcome.value for method, outcome in _outcomes(rows, ResultKind.REALIZED).items()}
    truth, predictions = rows["label"], rows["prediction"]
    macro = {"average": "macro", "labels": CLASSES}
    counts = confusion_matrix(truth, predictions, labels=CLASSES)
    negatives = counts.sum() - counts.sum(axis=1)
    expected = {
        Metric.F1: f1_score(truth, predictions, **macro),
        Metric.ACCURACY: accuracy_score(truth, predictions),
        Metric.PRECISION: precision_score(truth, predictions, **macro),
        Metric.RECALL: recall_score(truth, predictions, **macro),
        Metric.SPECIFICITY: np.mean((negatives - counts.sum(axis=0) + np.diagonal(counts)) / negatives),
        Metric.ROC_AUC: np.mean([roc_auc_score(truth == c, rows[s]) for c, s in zip(CLASSES, SCORES, strict=True)]),
    } | {cell_name(t, p): float(counts[CLASSES.index(t), CLASSES.index(p)]) for t, p in product(CLASSES, CLASSES)}
    assert values == pytest.approx(expected, abs=1e-12)


def test_estimates_are_accurate_for_calibrated_scores() -> None:
    rows = class_rows(20_000, seed=5)
    realized, estimated = (_outcomes(rows, kind) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED))
    for metric in (metric for metric in SPEC.metrics if metric is not Metric.CONFUSION_MATRIX):
        error = realized[metric].sampling_error
        assert error is not None
        assert estimated[metric].value == pytest.approx(realized[metric].value, abs=4 * error + 0.005)


def test_with_certain_scores_the_estimate_is_realized() -> None:
    rows = class_rows(400, seed=1)
    reference = REFERENCE.copy()
    for frame in (rows, reference):
        for name, score in zip(CLASSES, SCORES, strict=True):
            frame[score] = (frame["label"] == name).astype(float)
    realized, estimated = (
        _outcomes(rows, kind, reference=reference) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED)
    )
    assert {m: o.value for m, o in estimated.items()} == pytest.approx({m: o.value for m, o in realized.items()})


def test_tied_scores_have_the_mean_roc_auc_of_all_orders() -> None:
    """NannyML's value depends on the order of the rows."""
    scores = np.array([[0.2, 0.8], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.9, 0.1]])
    probabilities = np.array([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.7, 0.3]])
    none = np.full(5, -1, dtype=np.int64)
    ones = np.ones(5, dtype=np.int64)
    tied = expected_roc_aucs(MulticlassRows(scores, none, none, ones), probabilities)[0]
    roc_aucs = []
    for order in permutations(range(3)):
        nudged = scores.copy()
        nudged[1:4, 0] += np.array(order) * 1e-3
        roc_aucs.append(expected_roc_aucs(MulticlassRows(nudged, none, none, ones), probabilities)[0])
    assert len(set(roc_aucs)) > 1
    assert tied == pytest.approx(np.mean(roc_aucs))


def test_an_unknown_class_in_the_reference_is_refused() -> None:
    rows = class_rows(30)
    rows.loc[3, "label"] = "platinum"
    with pytest.raises(
        InvalidInput, match=r"'label' holds platinum: classes .* not list; its classes are gold, silver, 7"
    ):
        MulticlassRows.read(rows, SPEC)


@pytest.mark.parametrize("column", ["label", "prediction"])
def test_a_chunk_with_an_unknown_class_has_no_performance(column: str) -> None:
    rows = class_rows(500)
    rows.loc[3, column] = "platinum"
    reason = f"column {column!r} holds platinum: classes that the spec does not list"
    for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED):
        outcomes = _outcomes(rows, kind, SPEC)
        assert set(outcomes) == set(_outcomes(class_rows(500), kind, SPEC))
        assert {(o.value, o.state, o.reason) for o in outcomes.values()} == {(None, State.INSUFFICIENT, reason)}


def test_unknown_classes_are_merged() -> None:
    rows = class_rows(60)
    rows.loc[[3, 50], "label"] = ["platinum", "tin"]
    parts = MulticlassRows.of(rows[:30], SPEC).merge(MulticlassRows.of(rows[30:], SPEC))
    assert (
        parts.unknown_classes
        == MulticlassRows.of(rows, SPEC).unknown_classes
        == {("label", "platinum"), ("label", "tin")}
    )


def test_a_class_can_be_stored_as_text_or_number() -> None:
    rows = class_rows(50)
    as_number = rows.assign(label=[7.0 if label == "7" else label for label in rows["label"]])
    assert MulticlassRows.of(as_number, SPEC).labels.tolist() == MulticlassRows.of(rows, SPEC).labels.tolist()


def test_without_labels_estimates_have_values() -> None:
    rows = class_rows(300).assign(label=None)
    realized = _outcomes(rows, ResultKind.REALIZED, SPEC)
    assert {(o.value, o.state, o.rows) for o in realized.values()} == {(None, State.PENDING_LABELS, 0)}
    assert realized[Metric.F1].reason == "none of 300 labels is known yet"
    assert all(outcome.value is not None for outcome in _outcomes(rows, ResultKind.ESTIMATED, SPEC).values())


def test_means_over_classes_need_rows_of_every_class() -> None:
    rows = class_rows(500)
    outcomes = _outcomes(rows[rows["label"] != "7"], ResultKind.REALIZED, SPEC)
    for metric in (Metric.ROC_AUC, Metric.F1, Metric.PRECISION, Metric.RECALL, Metric.SPECIFICITY):
        assert (outcomes[metric].value, outcomes[metric].state) == (None, State.INSUFFICIENT)
        assert outcomes[metric].reason == "0 labelled rows of class 7, fewer than the minimum of 10"
    assert outcomes[Metric.ACCURACY].value is not None
    assert outcomes[cell_name("7", "7")].value == 0


def test_labels_of_one_class_are_insufficient() -> None:
    outcomes = _outcomes(class_rows(500).assign(label="gold"), ResultKind.REALIZED, SPEC)
    assert {outcome.value for outcome in outcomes.values()} == {None}
    assert "0 labelled rows of class" in str(outcomes[Metric.ACCURACY].reason)


def test_too_few_rows_are_insufficient() -> None:
    for kind, description in ((ResultKind.REALIZED, "labelled rows"), (ResultKind.ESTIMATED, "rows expected")):
        outcomes = _outcomes(class_rows(99), kind, SPEC)
        assert {outcome.reason for outcome in outcomes.values()} == {f"99 {description}, fewer than the minimum of 100"}


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_a_class_that_is_never_predicted_has_no_precision(kind: ResultKind) -> None:
    """NannyML returns 0 for the class; recall and F1 are 0, since the class has rows."""
    outcomes = _outcomes(class_rows(500).assign(prediction="gold"), kind, SPEC)
    assert outcomes[Metric.PRECISION].value is None
    assert outcomes[Metric.PRECISION].reason == "precision is not defined: class silver was never predicted"
    assert outcomes[Metric.RECALL].value == pytest.approx(1 / 3)
    assert outcomes[Metric.F1].value is not None


def test_each_metric_uses_the_rows_with_its_inputs() -> None:
    rows = class_rows(400)
    rows[SCORES[0]] = rows[SCORES[0]].mask(rows["id"] < 40)
    rows["prediction"] = rows["prediction"].mask(rows["id"] >= 380)
    realized, estimated = (_outcomes(rows, kind, SPEC) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED))
    assert (realized[Metric.ROC_AUC].rows, realized[Metric.F1].rows) == (360, 380)
    assert (estimated[Metric.ROC_AUC].rows, estimated[Metric.F1].rows) == (360, 340)


def test_zero_scores_give_equal_probabilities() -> None:
    rows = class_rows(300).assign(**dict.fromkeys(SCORES, 0.0))
    fitted = MulticlassPerformance.fit(REFERENCE, LOOSE)
    assert fitted.cbpe(np.zeros((1, 3))).sum() == pytest.approx(1)
    assert _outcomes(rows, ResultKind.ESTIMATED)[Metric.ROC_AUC].value == pytest.approx(0.5)


def test_a_reference_without_a_class_gives_no_estimate() -> None:
    reference = REFERENCE.assign(label=REFERENCE["label"].mask(REFERENCE["label"] == "7"))
    estimated = _outcomes(class_rows(300), ResultKind.ESTIMATED, reference=reference)
    assert {outcome.value for outcome in estimated.values()} == {None}
    assert str(estimated[Metric.F1].reason).startswith(
        "the reference has too few rows of class 7 to calibrate on (0 of"
    )
    realized = _outcomes(class_rows(300), ResultKind.REALIZED, reference=reference)
    assert realized[Metric.ROC_AUC].value is not None
    assert realized[Metric.ROC_AUC].sampling_error is None


def test_scores_need_not_sum_to_1() -> None:
    """NannyML rejects them; only the order of a class's scores matters."""
    rows = class_rows(300)
    distorted = rows.assign(**{name: 3 * rows[name] ** 2 for name in SCORES})
    original, transformed = (_outcomes(frame, ResultKind.REALIZED)[Metric.ROC_AUC].value for frame in (rows, distorted))
    assert transformed == original


def test_two_classes_are_possible() -> None:
    """NannyML fails on them."""
    spec = LOOSE.model_copy(update={"classes": CLASSES[:2]})
    rows, reference = (frame[frame["label"] != "7"] for frame in (class_rows(400, seed=3), REFERENCE))
    rows, reference = (frame[frame["prediction"] != "7"] for frame in (rows, reference))
    outcomes = _outcomes(rows, ResultKind.REALIZED, spec, reference)
    roc_aucs = realized_roc_aucs(MulticlassRows.of(rows, spec))
    assert outcomes[Metric.ROC_AUC].value == pytest.approx(roc_aucs.mean())
    assert all(outcome.value is not None for outcome in _outcomes(rows, ResultKind.ESTIMATED, spec, reference).values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [Metric.ROC_AUC, Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, cell_name("gold", "gold")]
)
def test_errors_equal_the_spread_of_repeated_samples(method: str) -> None:
    fitted, samples = _repeated_samples()
    spread = np.std(np.array([sample[method] for sample in samples], dtype=float))
    assert fitted.deviations.error(method, 500) == pytest.approx(spread, rel=0.35)


@cache
def _repeated_samples() -> tuple[MulticlassPerformance, list[dict[str, float | None]]]:
    """Return a fit on 40,000 rows, and the realized values of each 500 of them."""
    rows = class_rows(40_000, seed=9)
    fitted = MulticlassPerformance.fit(rows, LOOSE)
    outcomes = [
        fitted.outcomes(fitted.summarize(rows[start : start + 500], LOOSE), LOOSE) for start in range(0, len(rows), 500)
    ]
    realized = ResultKind.REALIZED
    return fitted, [{str(name): o.value for kind, name, o in sample if kind is realized} for sample in outcomes]
