"""Realized and estimated metrics of several classes against scikit-learn, and by hand."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score, roc_auc_score

from driftline.engine.outcome import Outcome
from driftline.engine.performance.multiclass.confusion import cell_name
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.performance.multiclass.roc import expected_areas, realized_areas
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.results import Metric, ResultKind, State
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, LOOSE, SCORES, SPEC, class_rows

REFERENCE = class_rows(2_000)


def _found(
    rows: pd.DataFrame, kind: ResultKind, spec: Spec = LOOSE, reference: pd.DataFrame = REFERENCE
) -> dict[str, Outcome]:
    fitted = MulticlassPerformance.fit(reference, spec)
    found = fitted.outcomes(fitted.summarize(rows, spec), spec)
    return {method: outcome for of, method, outcome in found if of is kind}


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 80), st.integers(0, 999))
def test_realized_metrics_are_exact_with_ties(count: int, seed: int) -> None:
    rows = pd.concat([class_rows(count, seed=seed), class_rows(3).assign(label=CLASSES, prediction=CLASSES)])
    found = {method: outcome.value for method, outcome in _found(rows, ResultKind.REALIZED).items()}
    truth, said = rows["label"], rows["prediction"]
    macro = {"average": "macro", "labels": CLASSES}
    counts = confusion_matrix(truth, said, labels=CLASSES)
    others = counts.sum() - counts.sum(axis=1)
    expected = {
        Metric.F1: f1_score(truth, said, **macro),
        Metric.ACCURACY: accuracy_score(truth, said),
        Metric.PRECISION: precision_score(truth, said, **macro),
        Metric.RECALL: recall_score(truth, said, **macro),
        Metric.SPECIFICITY: np.mean((others - counts.sum(axis=0) + np.diagonal(counts)) / others),
        Metric.ROC_AUC: np.mean([roc_auc_score(truth == c, rows[s]) for c, s in zip(CLASSES, SCORES, strict=True)]),
    } | {cell_name(t, p): float(counts[CLASSES.index(t), CLASSES.index(p)]) for t, p in product(CLASSES, CLASSES)}
    assert found == pytest.approx(expected, abs=1e-12)


def test_an_estimate_is_near_the_truth_when_scores_are_calibrated() -> None:
    rows = class_rows(20_000, seed=5)
    realized, estimated = (_found(rows, kind) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED))
    for metric in (metric for metric in SPEC.metrics if metric is not Metric.CONFUSION_MATRIX):
        error = realized[metric].sampling_error
        assert error is not None
        assert estimated[metric].value == pytest.approx(realized[metric].value, abs=4 * error + 0.005)


def test_certain_scores_make_the_estimate_the_truth() -> None:
    rows = class_rows(400, seed=1)
    reference = REFERENCE.copy()
    for frame in (rows, reference):
        for name, score in zip(CLASSES, SCORES, strict=True):
            frame[score] = (frame["label"] == name).astype(float)
    realized, estimated = (
        _found(rows, kind, reference=reference) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED)
    )
    assert {m: o.value for m, o in estimated.items()} == pytest.approx({m: o.value for m, o in realized.items()})


def test_tied_scores_have_the_mean_area_of_all_their_orders() -> None:
    """NannyML's depends on how the rows happen to be sorted."""
    scores = np.array([[0.2, 0.8], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.9, 0.1]])
    chances = np.array([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.7, 0.3]])
    none = np.full(5, -1, dtype=np.int64)
    ones = np.ones(5, dtype=np.int64)
    tied = expected_areas(Rows(scores, none, none, ones), chances)[0]
    apart = []
    for order in permutations(range(3)):
        nudged = scores.copy()
        nudged[1:4, 0] += np.array(order) * 1e-3
        apart.append(expected_areas(Rows(nudged, none, none, ones), chances)[0])
    assert len(set(apart)) > 1
    assert tied == pytest.approx(np.mean(apart))


def test_a_class_that_the_spec_does_not_know_is_refused_in_the_reference_and_the_known_ones_are_named() -> None:
    rows = class_rows(30)
    rows.loc[3, "label"] = "platinum"
    with pytest.raises(InvalidInput, match=r"'label' holds platinum: classes .* not know; it knows gold, silver, 7"):
        Rows.read(rows, SPEC)


@pytest.mark.parametrize("column", ["label", "prediction"])
def test_a_chunk_with_a_class_that_the_spec_does_not_know_has_no_performance_and_says_why(column: str) -> None:
    rows = class_rows(500)
    rows.loc[3, column] = "platinum"
    why = f"column {column!r} holds platinum: classes that the spec does not know"
    for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED):
        found = _found(rows, kind, SPEC)
        assert set(found) == set(_found(class_rows(500), kind, SPEC))
        assert {(o.value, o.state, o.reason) for o in found.values()} == {(None, State.INSUFFICIENT, why)}


def test_strange_classes_are_merged_like_the_rows() -> None:
    rows = class_rows(60)
    rows.loc[[3, 50], "label"] = ["platinum", "tin"]
    parts = Rows.of(rows[:30], SPEC).merge(Rows.of(rows[30:], SPEC))
    assert parts.strange == Rows.of(rows, SPEC).strange == {("label", "platinum"), ("label", "tin")}


def test_a_class_is_the_same_however_it_was_stored() -> None:
    rows = class_rows(50)
    as_number = rows.assign(label=[7.0 if label == "7" else label for label in rows["label"]])
    assert Rows.of(as_number, SPEC).labels.tolist() == Rows.of(rows, SPEC).labels.tolist()


def test_no_labels_are_pending_and_the_estimate_speaks() -> None:
    rows = class_rows(300).assign(label=None)
    realized = _found(rows, ResultKind.REALIZED, SPEC)
    assert {(o.value, o.state, o.rows) for o in realized.values()} == {(None, State.PENDING_LABELS, 0)}
    assert realized[Metric.F1].reason == "none of 300 labels is known yet"
    assert all(outcome.value is not None for outcome in _found(rows, ResultKind.ESTIMATED, SPEC).values())


def test_a_class_without_rows_leaves_means_over_classes_undefined() -> None:
    rows = class_rows(500)
    found = _found(rows[rows["label"] != "7"], ResultKind.REALIZED, SPEC)
    for metric in (Metric.ROC_AUC, Metric.F1, Metric.PRECISION, Metric.RECALL, Metric.SPECIFICITY):
        assert (found[metric].value, found[metric].state) == (None, State.INSUFFICIENT)
        assert found[metric].reason == "0 labelled rows of class 7, fewer than the minimum of 10"
    assert found[Metric.ACCURACY].value is not None
    assert found[cell_name("7", "7")].value == 0


def test_labels_of_one_class_say_nothing() -> None:
    found = _found(class_rows(500).assign(label="gold"), ResultKind.REALIZED, SPEC)
    assert {outcome.value for outcome in found.values()} == {None}
    assert "0 labelled rows of class" in str(found[Metric.ACCURACY].reason)


def test_few_rows_say_nothing() -> None:
    for kind, what in ((ResultKind.REALIZED, "labelled rows"), (ResultKind.ESTIMATED, "rows expected")):
        found = _found(class_rows(99), kind, SPEC)
        assert {outcome.reason for outcome in found.values()} == {f"99 {what}, fewer than the minimum of 100"}


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_a_class_that_is_never_predicted_has_no_precision(kind: ResultKind) -> None:
    """NannyML says 0 for the class; recall and F1 are 0, since there was something to find."""
    found = _found(class_rows(500).assign(prediction="gold"), kind, SPEC)
    assert found[Metric.PRECISION].value is None
    assert found[Metric.PRECISION].reason == "precision is not defined: class silver was never predicted"
    assert found[Metric.RECALL].value == pytest.approx(1 / 3)
    assert found[Metric.F1].value is not None


def test_each_metric_uses_the_rows_that_it_can() -> None:
    rows = class_rows(400)
    rows[SCORES[0]] = rows[SCORES[0]].mask(rows["id"] < 40)
    rows["prediction"] = rows["prediction"].mask(rows["id"] >= 380)
    realized, estimated = (_found(rows, kind, SPEC) for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED))
    assert (realized[Metric.ROC_AUC].rows, realized[Metric.F1].rows) == (360, 380)
    assert (estimated[Metric.ROC_AUC].rows, estimated[Metric.F1].rows) == (360, 340)


def test_scores_that_say_no_class_count_for_all_alike() -> None:
    rows = class_rows(300).assign(**dict.fromkeys(SCORES, 0.0))
    fitted = MulticlassPerformance.fit(REFERENCE, LOOSE)
    assert fitted.cbpe(np.zeros((1, 3))).sum() == pytest.approx(1)
    assert _found(rows, ResultKind.ESTIMATED)[Metric.ROC_AUC].value == pytest.approx(0.5)


def test_a_reference_that_lacks_a_class_gives_no_estimate() -> None:
    reference = REFERENCE.assign(label=REFERENCE["label"].mask(REFERENCE["label"] == "7"))
    estimated = _found(class_rows(300), ResultKind.ESTIMATED, reference=reference)
    assert {outcome.value for outcome in estimated.values()} == {None}
    assert str(estimated[Metric.F1].reason).startswith(
        "the reference has too few rows of class 7 to calibrate on (0 of"
    )
    realized = _found(class_rows(300), ResultKind.REALIZED, reference=reference)
    assert realized[Metric.ROC_AUC].value is not None
    assert realized[Metric.ROC_AUC].sampling_error is None


def test_scores_need_not_add_up_to_1() -> None:
    """NannyML refuses them; only the order of a class's scores matters."""
    rows = class_rows(300)
    distorted = rows.assign(**{name: 3 * rows[name] ** 2 for name in SCORES})
    straight, bent = (_found(frame, ResultKind.REALIZED)[Metric.ROC_AUC].value for frame in (rows, distorted))
    assert bent == straight


def test_two_classes_are_possible() -> None:
    """NannyML fails on them."""
    spec = LOOSE.model_copy(update={"classes": CLASSES[:2]})
    rows, reference = (frame[frame["label"] != "7"] for frame in (class_rows(400, seed=3), REFERENCE))
    rows, reference = (frame[frame["prediction"] != "7"] for frame in (rows, reference))
    found = _found(rows, ResultKind.REALIZED, spec, reference)
    areas = realized_areas(Rows.of(rows, spec))
    assert found[Metric.ROC_AUC].value == pytest.approx(areas.mean())
    assert all(outcome.value is not None for outcome in _found(rows, ResultKind.ESTIMATED, spec, reference).values())


@pytest.mark.parametrize(
    "method", [Metric.ROC_AUC, Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, cell_name("gold", "gold")]
)
def test_sampling_errors_are_the_spread_of_repeated_samples(method: str) -> None:
    rows = class_rows(40_000, seed=9)
    fitted = MulticlassPerformance.fit(rows, LOOSE)
    values = []
    for start in range(0, len(rows), 500):
        found = fitted.outcomes(fitted.summarize(rows[start : start + 500], LOOSE), LOOSE)
        values.append(next(o.value for kind, name, o in found if kind is ResultKind.REALIZED and name == method))
    spread = np.std(np.array(values, dtype=float))
    assert fitted.deviations.error(method, 500) == pytest.approx(spread, rel=0.35)
