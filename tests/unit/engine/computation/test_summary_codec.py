"""Summaries survive being stored, of features and of labels apart, and merge to exactly the results of one pass."""

from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from driftline.engine.catalogue import DEFAULT_METRICS, Problem
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.computation.summary_codec import DamagedSummary, decode, encode
from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import LABEL, Method, Quality, Result, ResultKind, Statistic
from driftline.engine.spec import Spec
from tests.unit.engine.frame_builders import ORIGIN, SPEC, scored_rows
from tests.unit.example_counts import FEW

DAY = Chunk(ORIGIN, ORIGIN.replace(day=2))
ALL_METHODS = {
    "minimum_rows": 2,
    "minimum_class_rows": 1,
    "continuous_methods": tuple(method for method in Method if method.value in {"psi", "hellinger"})
    + SPEC.continuous_methods,
    "multivariate_methods": (Method.PCA_RECONSTRUCTION,),
    "quality": tuple(Quality),
    "statistics": tuple(Statistic),
    "segments": ("plan",),
    "label_drift": True,
}
LABELS_ONLY = ["event_time", "id", "prediction", "label", "plan"]
LAW = settings(max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _spec(problem: Problem) -> Spec:
    classes = ("low", "high") if problem is Problem.MULTICLASS else ()
    return SPEC.model_copy(
        update={**ALL_METHODS, "problem": problem, "classes": classes, "metrics": DEFAULT_METRICS[problem]}
    )


def _rows(problem: Problem, rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows of a day: scores and values that no two rows share, and labels of the problem."""
    frame = scored_rows(rows, seed=seed)
    rng = np.random.default_rng(seed)
    frame["probability_1"] = frame["probability_1"].clip(0.001, 0.999) + rng.uniform(-1e-4, 1e-4, rows)
    if problem is Problem.MULTICLASS:
        frame["probability_high"] = frame.pop("probability_1")
        frame["probability_low"] = 1 - frame["probability_high"]
        frame["prediction"] = frame["prediction"].map({0: "low", 1: "high"})
        frame["label"] = frame["label"].map({0: "low", 1: "high"})
    if problem is Problem.REGRESSION:
        frame["prediction"] = frame.pop("probability_1") * 1e3
        frame["label"] = frame["prediction"] + rng.normal(0, 50, rows)
    return frame


@pytest.fixture(scope="module", params=Problem)
def problem(request: pytest.FixtureRequest) -> Problem:
    return Problem(request.param)


@pytest.fixture(scope="module", params=[400, 10_600], ids=["exact", "binned"])
def fitted(request: pytest.FixtureRequest, problem: Problem) -> FittedReference:
    return fit_reference(_rows(problem, request.param), _spec(problem))


def _stored(summary: Summary) -> Summary:
    restored = decode(encode(summary))
    assert encode(restored) == encode(summary)
    assert isinstance(restored, Summary)
    return restored


def _merged(parts: list[Summary]) -> Summary:
    return reduce(lambda first, second: _stored(first.merge(second)), map(_stored, parts))


def _same(first: tuple[Result, ...], second: tuple[Result, ...]) -> None:
    """Compare results bit by bit; only PCA may differ, in its last bits."""
    assert [r for r in first if r.method != Method.PCA_RECONSTRUCTION] == [
        r for r in second if r.method != Method.PCA_RECONSTRUCTION
    ]
    for a, b in zip(first, second, strict=True):
        assert a.value == (None if b.value is None else pytest.approx(b.value, rel=1e-12))


@pytest.mark.slow
@LAW
@given(rows=st.integers(0, 80), seed=st.integers(0, 99), unlabelled=st.sampled_from([0.0, 0.4, 1.0]))
@example(rows=0, seed=0, unlabelled=0.0)
def test_stored_parts_merge_to_exactly_one_pass(
    problem: Problem, fitted: FittedReference, rows: int, seed: int, unlabelled: float
) -> None:
    spec, frame, rng = _spec(problem), _rows(problem, rows, seed), np.random.default_rng(seed)
    frame["label"] = frame["label"].mask(rng.random(rows) < unlabelled)
    frame["plan"] = frame["plan"].astype(object).mask(rng.random(rows) < 0.2, "new")
    at_once = evaluate_chunk(fitted, spec, frame, DAY)
    of_features, of_labels = (rng.integers(0, count, rows) for count in (4, 3))
    features = _merged(
        [
            summarize_chunk(fitted, spec, frame[of_features == n].drop(columns=LABEL), SummaryContent.FEATURES)
            for n in rng.permutation(4)
        ]
    )
    without = frame[LABELS_ONLY + list(spec.scores)]
    labels = _merged(
        [summarize_chunk(fitted, spec, without[of_labels == n], SummaryContent.LABELS) for n in rng.permutation(3)]
    )
    _same(finish_chunk(fitted, spec, features.join(labels), DAY), at_once)
    by_labels = finish_chunk(fitted, spec, labels, DAY)
    changeable = {ResultKind.REALIZED} | ({ResultKind.ESTIMATED} if problem is not Problem.REGRESSION else set())
    assert by_labels == tuple(
        r
        for r in at_once
        if (r.kind in changeable or r.subject == LABEL) and not (r.reason or "").startswith("the reference has no rows")
    )


@pytest.mark.slow
def test_the_rows_of_a_domain_classifier_are_stored(problem: Problem) -> None:
    spec = _spec(problem).model_copy(update={"multivariate_methods": (Method.DOMAIN_CLASSIFIER,), "segments": ()})
    fitted, frame = fit_reference(_rows(problem, 300), spec), _rows(problem, 90, seed=1)
    frame["plan"] = frame["plan"].astype(object).mask(frame.index % 7 == 0, None)
    parts = [summarize_chunk(fitted, spec, frame[frame.index % 3 == n]) for n in (1, 2, 0)]
    assert finish_chunk(fitted, spec, _merged(parts), DAY) == evaluate_chunk(fitted, spec, frame, DAY)


def test_the_rows_of_a_binary_model_take_no_more_than_their_values() -> None:
    spec = SPEC.model_copy(update={"minimum_rows": 2})
    fitted, frame = fit_reference(_rows(Problem.BINARY, 10_600), spec), _rows(Problem.BINARY, 50_000, seed=1)
    assert len(encode(summarize_chunk(fitted, spec, frame))) < 50_000 * 8 * 4


@pytest.mark.parametrize("cut", [0, 5, 30, -1])
def test_other_bytes_are_refused(cut: int) -> None:
    spec = SPEC.model_copy(update={"minimum_rows": 2})
    data = encode(summarize_chunk(fit_reference(scored_rows(200), spec), spec, scored_rows(20)))
    with pytest.raises(DamagedSummary):
        decode(data[:cut])
    with pytest.raises(DamagedSummary):
        decode(data[:8] + data[40:])


def test_only_summaries_are_made() -> None:
    class UnknownSummary:
        pass

    with pytest.raises(KeyError):
        encode(UnknownSummary())
    assert decode(encode({"a": np.array([1.5, 2.5])}))["a"].tolist() == [1.5, 2.5]
