"""The guarantee: false alerts stay within budget * years + 0.2, by hour, day and week, whatever the reference's length.

All streams of a case move at once; `benchmarks/detection/calm.py` does the same on long simulated worlds, and
`benchmarks/detection/guarantee.py` on more streams.
"""

import numpy as np
import pytest

from benchmarks.detection.guarantee import CalmCase, false_alerts
from driftline.engine.evidence.detector import RESERVE, DetectorState, grow, masses
from driftline.engine.evidence.families import BINARY, Stage
from driftline.engine.evidence.no_evidence import NoEvidence, no_evidence_of_days
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from tests.unit.engine.evidence.evidence_builders import drawn, no_weekday, redrawn, reference

YEAR = {"hour": 8766, "day": 365, "week": 52}
ROWS = {"hour": 40, "day": 950, "week": 6650}
BINS = reference().bins


def alerts(
    log_evidence: np.ndarray, years: float, budget: float, drifting: np.ndarray, weights: np.ndarray = BINARY.weights
) -> int:
    """Count the alerts of streams, shape (chunks, streams, components), with chunks of `years` years."""
    ratios, saved, count = np.zeros(log_evidence.shape[1:]), RESERVE / budget, 0
    for chunk, drifts in zip(log_evidence, drifting, strict=True):
        saved, mass = masses(saved, years, budget, drifting=bool(drifts))
        ratios = grow(ratios, weights * mass, chunk)
        crossed = ratios.sum(-1) >= 1 / budget
        ratios[crossed] = 0.0
        count += int(crossed.sum())
    return count


@pytest.mark.slow
@pytest.mark.parametrize("deviation", [0.3, 0.8, 2.0])
def test_exact_e_values_keep_the_budget_and_use_part_of_it(deviation: float) -> None:
    """Log-normal e-values of mean 1 that share their noise: a doubled weight or a missing restart would show."""
    random = np.random.default_rng(1)
    streams, years, budget = 400, 4, 1.0
    chunks = years * YEAR["day"]
    noise = random.normal(size=(chunks, streams, 1)) + 0.3 * random.normal(size=(chunks, streams, BINARY.count))
    scale = deviation / np.sqrt(1.09)
    count = alerts(scale * noise - deviation**2 / 2, 1 / YEAR["day"], budget, random.random(chunks) < 0.05)
    assert count <= streams * (budget * years + RESERVE) + 3 * np.sqrt(streams * years)
    assert count >= 0.2 * streams * budget * years


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["hour", "day", "week"])
@pytest.mark.parametrize("chunks", [8, 21, 60])
def test_calm_streams_keep_the_budget(unit: str, chunks: int) -> None:
    """Log-odds that vary between chunks, fresh references, a tight bound on what 12 a year allow."""
    random = np.random.default_rng(chunks)
    streams, budget, spread = {"hour": 3, "day": 20, "week": 20}[unit], 12.0, 0.1
    length = {"hour": YEAR["hour"] // 4, "day": YEAR["day"], "week": 2 * YEAR["week"]}[unit]
    evidence = []
    for _ in range(streams):
        fitted = redrawn(BINS, random, chunks, ROWS[unit], spread)
        counts = drawn(BINS, random, length, ROWS[unit], shift=random.normal(0, spread, length))
        no_scores = ScoreCounts.empty(BINS.count)
        parts = [fitted.evidence(stage, counts, no_scores, no_weekday(counts)) for stage in Stage]
        evidence.append(sum(part.log_evidence for part in parts))
    years = length / YEAR[unit]
    count = alerts(np.stack(evidence, axis=1), 1 / YEAR[unit], budget, random.random(length) < 0.02)
    assert count <= streams * (budget * years + RESERVE)
    assert count <= 0.35 * streams * (budget * years + RESERVE)  # measured: at most a fifth


@pytest.mark.slow
def test_few_chunks_that_vary_much_keep_the_budget() -> None:
    """Four days tell little about how days vary: a zone from parts of days, which agree, would alert five a year."""
    case = CalmCase("binary", "day", chunks=4)
    assert false_alerts(case, streams=10, budgets=[1.0])[1.0] <= case.allowed(1.0, streams=10)


@pytest.mark.slow
def test_hours_of_days_that_differ_keep_the_budget() -> None:
    """Blocks shorter than a day would count the effect of a day twice, with six alerts."""
    case = CalmCase("binary", "hour", 7 * 24, daily=0.3)
    assert false_alerts(case, streams=8, budgets=[1.0])[1.0] <= case.allowed(1.0, streams=8)


def test_fewer_than_three_whole_days_of_hours_give_no_evidence() -> None:
    """With one day the budget is exceeded a hundredfold, with two it may be; parts of days at the ends do not count."""
    assert no_evidence_of_days([1] * 24) == NoEvidence(
        "The reference covers 1 whole day, too few to show how days differ; give a reference of at least 3 days."
    )
    assert no_evidence_of_days([1] * 4 + [2] * 24 + [3] * 24 + [4] * 11) is not None
    assert no_evidence_of_days([1] * 12 + [2] * 24 + [3] * 24) is None
    assert no_evidence_of_days([1, 2]) is None, "chunks of a day"
    assert no_evidence_of_days(None) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "unit", "chunks", "drifting"),
    [
        ("binary", "hour", 72, 0.02),
        ("binary", "day", 8, 0.5),
        ("binary", "day", 21, 0.02),
        ("regression", "day", 8, 0.02),
        ("regression", "week", 8, 0.5),
    ],
)
def test_short_references_keep_the_budget(problem: str, unit: str, chunks: int, drifting: float) -> None:
    """The effect of a chunk has a standard deviation of 0.3; drift lasts in a few chunks, or in half of them."""
    case, streams = CalmCase(problem, unit, chunks, drifting=drifting), 30
    assert false_alerts(case, streams, [1.0])[1.0] <= case.allowed(1.0, streams)


def test_a_change_is_alerted_long_before_the_budget_is_used() -> None:
    """Half a unit more log-odds behind the labels alerts in every stream within a week of days."""
    random = np.random.default_rng(3)
    fitted = redrawn(BINS, random, 21, 950)
    no_scores = ScoreCounts.empty(BINS.count)
    evidence = []
    for _ in range(50):
        counts = drawn(BINS, random, 7, 950, shift=0.5)
        evidence.append(fitted.evidence(Stage.LABELS, counts, no_scores, no_weekday(counts)).log_evidence)
    assert alerts(np.stack(evidence, axis=1), 1 / 365, 1.0, np.zeros(7, dtype=bool)) >= 50


def test_no_more_mass_goes_in_than_time_passes() -> None:
    """Whatever the drift, the mass of a place is at most the time and the reserve."""
    random = np.random.default_rng(4)
    saved, total = RESERVE / 2.0, 0.0
    for place in range(1_000):
        saved, mass = masses(saved, 0.01, 2.0, drifting=bool(random.random() < 0.1))
        total += mass
        assert total <= 0.01 * (place + 1) + RESERVE / 2.0 + 1e-12
    assert BINARY.weights.sum() == pytest.approx(1)
    assert DetectorState.start(2.0, BINARY.count).saved.tolist() == [0.1] * len(Stage)
