"""Evidence of multiclass models and of regressions: exact e-values, the guarantee, and what is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftline.engine.evidence.by_problem import multiclass_evidence
from driftline.engine.evidence.by_problem.multiclass_evidence import FittedMulticlassEvidence
from driftline.engine.evidence.chunk_evidence import AlertRule, ChunkEvidence
from driftline.engine.evidence.detector import RESERVE
from driftline.engine.evidence.families import BINARY, Family, Stage
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.metrics.residual_tilts import TILTS, log_evidence
from driftline.engine.evidence.no_evidence import too_few_chunks
from driftline.engine.evidence.problems import counts_from_list, evidence_from_dict
from driftline.engine.evidence.replay import DetectorHistory, replay
from driftline.engine.evidence.visible_change import visible_changes
from driftline.engine.evidence.wording import describe, describe_visible
from tests.unit.engine.evidence import class_builders, residual_builders
from tests.unit.engine.evidence.evidence_builders import DAY, chunks_of, no_weekday
from tests.unit.engine.evidence.test_guarantee import ROWS, YEAR, alerts
from tests.unit.engine.evidence.test_visible_change import UTC_ZONE, YEARS

CLASSIFIER = class_builders.reference()
REGRESSION = residual_builders.reference()


def joined(*parts: Any) -> Any:
    """Return the chunks of all parts."""
    return type(parts[0])(*(np.concatenate(arrays) for arrays in zip(*(part.arrays for part in parts), strict=True)))


def of_classes(random: np.random.Generator, chunks: int, *change: float, size: int = 950) -> Any:
    """Draw chunks of the classifier; `change` is that of the log score of each class."""
    return class_builders.drawn(CLASSIFIER, random, chunks, size, np.array(change or (0.0, 0.0, 0.0)))


def first_alert(fitted: FittedEvidence, counts: Any) -> tuple[int, ChunkEvidence]:
    """Return the place of the first alert, and its evidence."""
    chunks = chunks_of(counts)
    evidence = replay(fitted, AlertRule(1.0), chunks).evidence
    place = next(n for n, chunk in enumerate(chunks) if evidence.get(chunk.start, ChunkEvidence()).alert)
    return place, evidence[chunks[place].start]


@pytest.mark.parametrize("fitted", [CLASSIFIER, REGRESSION], ids=["multiclass", "regression"])
def test_weights_of_all_components_add_up_to_one(fitted: FittedEvidence) -> None:
    """The mass of all components is the time that passes, however many classes there are."""
    assert fitted.components.weights.sum() == pytest.approx(1)
    assert fitted.usable.all()
    masks = fitted.components.stage_masks
    assert (masks[Stage.SCORES] ^ masks[Stage.LABELS]).all()


def test_each_class_has_the_components_of_a_binary_model() -> None:
    """Three times eighteen, and each names its class."""
    components = CLASSIFIER.components
    assert components.count == 3 * BINARY.count
    assert [components.classes[n * BINARY.count] for n in range(3)] == ["a", "b", "c"]


def test_a_ratio_of_tilts_has_mean_one_at_the_edge_of_the_zone() -> None:
    """The exact mean over one row's bin, for every tilt up to the edge: the e-value of n rows is a product of these."""
    direction, state = REGRESSION.mean_direction, REGRESSION.mean_indifference
    one_row = np.eye(len(direction.places), dtype=np.int64)
    without_variance = type(state)(0.0, state.half_width)
    rising = np.exp(log_evidence(direction, without_variance, one_row, np.zeros(len(one_row)), (1,)))
    for tilt in (-1.0, 0.0, state.half_width / 2, state.half_width):
        means = rising @ direction.tilted(tilt)
        assert (means <= 1 + 1e-12).all()
    assert rising @ direction.tilted(state.half_width) == pytest.approx(np.ones(len(TILTS)))


def test_one_huge_residual_is_little_evidence() -> None:
    """Residuals of Student's t with 3 degrees of freedom: an outlier counts as a row of the last bin."""
    calm = residual_builders.drawn(np.random.default_rng(2), 1, 950)
    outlier = joined(calm)
    outlier.counts[0, -1] += 1
    empty = REGRESSION.empty_counts()
    before, after = (
        REGRESSION.evidence(Stage.LABELS, counts, empty, no_weekday(counts)).log_evidence for counts in (calm, outlier)
    )
    assert np.abs(after - before).max() < 5


@pytest.mark.slow
@pytest.mark.parametrize(("unit", "chunks"), [("hour", 60), ("day", 8), ("day", 21), ("week", 12)])
def test_calm_regressions_keep_the_budget(unit: str, chunks: int) -> None:
    """Heavy tails, means and sizes that vary between chunks, fresh references, a tight bound on 12 a year."""
    random = np.random.default_rng(chunks)
    streams, budget, spread = {"hour": 3, "day": 20, "week": 20}[unit], 12.0, 0.05
    length = {"hour": YEAR["hour"] // 4, "day": YEAR["day"], "week": 2 * YEAR["week"]}[unit]
    evidence = []
    for _ in range(streams):
        fitted = residual_builders.redrawn(random, chunks, ROWS[unit], spread)
        counts = residual_builders.drawn(random, length, ROWS[unit], spread=spread)
        evidence.append(
            sum(
                fitted.evidence(stage, counts, fitted.empty_counts(), no_weekday(counts)).log_evidence
                for stage in Stage
            )
        )
    expected_alerts = streams * (budget * length / YEAR[unit] + RESERVE)
    drifting = random.random(length) < 0.02
    assert (
        alerts(np.stack(evidence, axis=1), 1 / YEAR[unit], budget, drifting, fitted.components.weights)
        <= expected_alerts
    )


def test_several_classes_need_six_chunks() -> None:
    """With four, one of three classes seems to vary too little in one reference of ten."""
    rows = class_builders.rows(np.random.default_rng(0), 600, np.zeros(3))
    assert multiclass_evidence.fit_evidence(rows, class_builders.CLASSES, [120] * 5) == too_few_chunks(5, 6)
    assert isinstance(
        multiclass_evidence.fit_evidence(rows, class_builders.CLASSES, [100] * 6), FittedMulticlassEvidence
    )


@pytest.mark.slow
@pytest.mark.parametrize(("unit", "chunks"), [("hour", 60), ("day", 8), ("day", 21)])
def test_calm_multiclass_models_keep_the_budget(unit: str, chunks: int) -> None:
    """Log scores that vary between chunks by class, fresh references."""
    random = np.random.default_rng(chunks)
    streams, budget, spread = 4, 12.0, 0.1
    length = {"hour": YEAR["hour"] // 24, "day": YEAR["day"]}[unit]
    evidence = []
    for seed in range(streams):
        fitted = class_builders.reference(chunks, ROWS[unit], spread, seed)
        change = random.normal(0, spread, (length, 3))
        counts = class_builders.drawn(fitted, random, length, ROWS[unit], change)
        evidence.append(
            sum(
                fitted.evidence(stage, counts, fitted.empty_counts(), no_weekday(counts)).log_evidence
                for stage in Stage
            )
        )
    expected_alerts = streams * (budget * length / YEAR[unit] + RESERVE)
    drifting = random.random(length) < 0.02
    assert (
        alerts(np.stack(evidence, axis=1), 1 / YEAR[unit], budget, drifting, fitted.components.weights)
        <= expected_alerts
    )


def test_a_class_that_becomes_more_frequent_is_named() -> None:
    """Forty calm days, then more of class b than the scores promise: the first changed day alerts."""
    random = np.random.default_rng(3)
    place, evidence = first_alert(CLASSIFIER, joined(of_classes(random, 40), of_classes(random, 5, 0.0, 0.9, 0.0)))
    assert place == 40
    assert evidence.change is not None
    assert (evidence.change.family, evidence.change.label) == (Family.SHARE, "b")
    assert "were of class b where these scores promise" in describe(evidence.change, UTC_ZONE)


@pytest.mark.parametrize(
    ("change", "family", "words"),
    [
        ({"shift": 0.6}, Family.MEAN_RESIDUAL, "The mean residual (label minus prediction) is 0.6"),
        ({"growth": 0.4}, Family.RESIDUAL_SIZE, "Mean absolute error has risen to"),
        ({"rise": 0.3}, Family.EXPECTED_LOSS, "Estimated from the features, the mean error rises to 1.3"),
    ],
)
def test_a_changed_regression_alerts_within_two_days(change: dict[str, float], family: Family, words: str) -> None:
    """Forty calm days do not alert; a move of the mean, larger residuals and higher expected losses do."""
    random = np.random.default_rng(4)
    counts = joined(residual_builders.drawn(random, 40, 950), residual_builders.drawn(random, 5, 950, **change))
    place, evidence = first_alert(REGRESSION, counts)
    assert 40 <= place <= 41
    assert evidence.change is not None
    assert evidence.change.family is family
    assert words in describe(evidence.change, UTC_ZONE)


def test_an_alert_of_a_regression_on_harm_needs_a_larger_error() -> None:
    """A mean that moves by a third of the usual residual changes much, and the error by less than its margin."""
    counts = residual_builders.drawn(np.random.default_rng(5), 30, 950, shift=0.35)
    place, _ = first_alert(REGRESSION, counts)
    evidence = replay(REGRESSION, AlertRule(1.0, harm_only=True), chunks_of(counts)).evidence
    assert evidence[chunks_of(counts)[place].start].withheld


def test_a_classifier_without_skill_is_named() -> None:
    """Labels drawn without regard to the scores."""
    random = np.random.default_rng(6)
    shuffled = class_builders.rows(random, 950, np.zeros(3))
    random.shuffle(shuffled.labels)
    counts = type(of_classes(random, 1)).stack([CLASSIFIER.counts(shuffled)])
    no_skill = [chunk.no_skill for chunk in replay(CLASSIFIER, AlertRule(1.0), chunks_of(counts)).evidence.values()]
    assert no_skill == [pytest.approx(0.5, abs=0.05)]


@pytest.mark.parametrize("problem", ["multiclass", "regression"])
@pytest.mark.parametrize("size", [950, 200])
def test_resuming_from_stored_states_gives_the_same_as_all_at_once(problem: str, size: int) -> None:
    """Fitted state, counts and history as JSON, whatever the problem."""
    random = np.random.default_rng(7)
    if problem == "multiclass":
        fitted: FittedEvidence = CLASSIFIER
        counts = joined(of_classes(random, 12, size=size), of_classes(random, 6, 0.0, 0.9, 0.0, size=size))
    else:
        fitted = REGRESSION
        changed = residual_builders.drawn(random, 6, size, shift=0.6)
        counts = joined(residual_builders.drawn(random, 12, size), changed)
    chunks = chunks_of(counts, delay=3 * DAY)
    at_once = replay(fitted, AlertRule(1.0), chunks)
    stored = evidence_from_dict(fitted.to_dict())
    history = DetectorHistory.from_dict(at_once.histories[chunks[10].start].to_dict(), stored)
    again = [replace(chunk, counts=counts_from_list(chunk.counts.to_list())) for chunk in chunks]
    resumed = replay(stored, AlertRule(1.0), again, history, after=chunks[10].closes_at)
    assert any(evidence.alert for evidence in at_once.evidence.values())
    later = [chunk.start for chunk in chunks[11:]]
    assert [resumed.evidence.get(start) for start in later] == [at_once.evidence.get(start) for start in later]


def test_pages_of_a_long_replay_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of several chunks reach from one page into the next."""
    counts = residual_builders.drawn(np.random.default_rng(8), 40, 200, rise=0.05)
    at_once = replay(REGRESSION, AlertRule(1.0), chunks_of(counts))
    monkeypatch.setattr("driftline.engine.evidence.replay.PAGE", 3)
    paged = replay(REGRESSION, AlertRule(1.0), chunks_of(counts), keep_histories=False)
    assert paged.evidence == at_once.evidence
    assert not paged.histories


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1])
def test_visible_changes_of_a_regression_are_detected(place: int) -> None:
    """Within 1 and 7 days: a move of the mean, and larger residuals; a third of them is not."""
    visible = visible_changes(REGRESSION, 1.0, YEARS)[place]
    assert visible.mean_residual is not None
    assert visible.mae is not None
    assert visible.usual_mae is not None
    assert power(visible.chunks, shift=visible.mean_residual) >= 0.75
    assert power(visible.chunks, shift=visible.mean_residual / 3) <= 0.4
    assert power(visible.chunks, growth=float(np.log(visible.mae / visible.usual_mae))) >= 0.75


def power(chunks: int, runs: int = 60, **change: float) -> float:
    """Return how often this many days with a change alert."""
    random = np.random.default_rng(9)
    streams = (chunks_of(residual_builders.drawn(random, chunks, 950, **change)) for _ in range(runs))
    detected = [any(c.alert for c in replay(REGRESSION, AlertRule(1.0), days).evidence.values()) for days in streams]
    return sum(detected) / runs


@pytest.mark.slow
def test_visible_changes_of_a_class_are_detected_8_times_in_10() -> None:
    """A rise of the share of class b against the rest, within a day."""
    visible = next(change for change in visible_changes(CLASSIFIER, 1.0, YEARS) if change.label == "b")
    assert visible.share is not None
    changes = np.linspace(0, 3, 61)
    chances = class_builders.chances_of(changes[:, None, None] * np.array([0.0, 1.0, 0.0]))
    shares = chances[:, :, 1].mean(1)
    change = changes[np.searchsorted(shares, visible.share)]
    random = np.random.default_rng(10)
    runs = [chunks_of(of_classes(random, 1, 0.0, change, 0.0)) for _ in range(60)]
    detected = [any(c.alert for c in replay(CLASSIFIER, AlertRule(1.0), days).evidence.values()) for days in runs]
    assert sum(detected) / len(detected) >= 0.75


def test_what_is_visible_is_said_in_the_words_of_the_problem() -> None:
    """Each class has its lines, and a regression names its error."""
    of_classifier, of_regression = (
        describe_visible(visible_changes(fitted, 1.0, YEARS)) for fitted in (CLASSIFIER, REGRESSION)
    )
    assert [line for line in of_classifier if "ROC AUC of class c falls by" in line]
    assert len(of_classifier) == 6
    assert "Mean absolute error rises from" in of_regression[1]
    assert "the mean residual (label minus prediction) moves by" in of_regression[0]


def test_narrowed_counts_are_the_same_and_merge_without_overflow() -> None:
    """Small counts take a byte each; adding and stacking them widens them again."""
    counts = type(REGRESSION.empty_counts())(np.array([100, 27]), np.array([127.0, 1.5, 2.5, 0.0, 0.0]))
    narrow = counts.narrowed()
    assert narrow.counts.dtype == np.int8
    assert narrow.to_list() == counts.to_list()
    assert narrow.merge(narrow).counts.tolist() == [200, 54]
    assert type(counts).stack([narrow, narrow]).counts.sum(0).tolist() == [200, 54]
