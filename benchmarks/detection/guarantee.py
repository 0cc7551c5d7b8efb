"""Count false alerts on calm streams whose chunks vary, each with a short reference of its own.

    python -m benchmarks.detection.guarantee --streams 40      # minutes

The guarantee is at most `budget` alerts a year and 0.2 more, on average over references. Log-odds and their slope, or
mean residuals and their size, differ between chunks at random (`--spread`) and by day of the week (`--weekly`): nothing
else changes. Counts are drawn instead of rows, so that many references cost little.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import t as student

from driftline.engine.evidence.by_problem import binary_fit, regression_fit
from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.multiclass_evidence import FittedMulticlassEvidence
from driftline.engine.evidence.detector import RESERVE, grow, masses
from driftline.engine.evidence.families import Stage
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS
from driftline.engine.evidence.metrics.expected_loss import ExpectedLoss, blocks_of
from driftline.engine.evidence.metrics.residual_counts import ResidualCounts
from driftline.engine.evidence.no_evidence import NoEvidence
from driftline.engine.evidence.reference_chunks import rows_of_a_day
from driftline.engine.evidence.scores.score_bins import BINS, ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.evidence.scores.score_grid import CELLS, ScoreGrid
from driftline.engine.performance.regression.losses import Loss
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.residual_bins import ResidualBins

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SCORES = np.linspace(0.02, 0.9, 12)
SHARES = np.exp(-3.0 * SCORES) / np.exp(-3.0 * SCORES).sum()
PREDICTIONS = (SCORES >= 0.5).astype(np.int64)
_log_scores = np.random.default_rng(0).normal((0.6, 0.0, -0.6), 1.2, (16, 3))
PROBABILITIES = np.exp(_log_scores) / np.exp(_log_scores).sum(1, keepdims=True)
"""The scores of a multiclass model with three classes of different frequency; each row is as frequent as the others."""
SHARES_OF_PROBABILITIES = np.full(len(PROBABILITIES), 1 / len(PROBABILITIES))
EFFECTS = 4
"""The number of effects of a chunk, of which each problem uses some."""
FREEDOM = 4
"""Residuals follow Student's t with so few degrees of freedom."""
LOSS, LOSS_DEVIATION, LOSS_SPREAD = 1.0, 0.5, 0.07
"""The mean expected loss, its standard deviation between rows, and its change for an effect of 1."""


@dataclass(frozen=True)
class Unit:
    """A length of chunks: how many make a year and a day, their rows, and the chunks of a stream and of references."""

    a_year: int
    rows: int
    stream: int
    references: tuple[int, ...]
    a_day: int = 1


UNITS = {
    "hour": Unit(8766, 40, 2192, (72, 168, 504), a_day=24),
    "day": Unit(365, 950, 365, (4, 8, 14, 21, 60)),
    "week": Unit(52, 6650, 104, (4, 8, 14, 26, 60)),
}
BUDGETS = (1.0, 12.0)
Drawn = tuple[Mapping[Stage, Floats], FittedEvidence]
"""The log e-values of a calm stream by stage, and the evidence fitted on its reference."""


@dataclass(frozen=True)
class CalmCase:
    """What is drawn: the problem, the unit, the chunks of a reference, and how much chunks vary.

    `spread` is a standard deviation between chunks, `daily` one between days, `weekly` one between days of the week.
    Drift lasts in the share `drifting` of chunks. `shift` is added to the log-odds, or to residuals, of the stream,
    which is then not calm.
    """

    problem: str
    unit: str
    chunks: int
    spread: float = 0.3
    weekly: float = 0.0
    drifting: float = 0.02
    daily: float = 0.0
    shift: float = 0.0

    def allowed(self, budget: float, streams: int) -> float:
        """Return the number of false alerts that the guarantee allows on so many streams."""
        unit = UNITS[self.unit]
        return streams * (budget * unit.stream / unit.a_year + RESERVE)


def main() -> None:
    """Print the false alerts of each problem, unit and length of the reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=40, help="calm streams for each case, each with a reference")
    parser.add_argument("--spread", type=float, default=0.3)
    parser.add_argument("--weekly", type=float, default=0.0)
    parser.add_argument("--daily", type=float, default=0.0)
    parser.add_argument("--drifting", type=float, default=0.02, help="the share of chunks in which drift lasts")
    parser.add_argument("--unit", action="append", choices=UNITS, help="may be given again; default: all")
    parser.add_argument("--problem", action="append", choices=DRAW, help="may be given again; default: all")
    parser.add_argument("--reference", action="append", type=int, help="chunks of a reference; may be given again")
    options = parser.parse_args()
    began = time.process_time()
    print("| problem | chunks | reference | allowed | budget 1 | allowed | budget 12 |\n" + "|---" * 7 + "|")
    for problem in options.problem or DRAW:
        for unit in options.unit or UNITS:
            for chunks in options.reference or UNITS[unit].references:
                case = CalmCase(problem, unit, chunks, options.spread, options.weekly, options.drifting, options.daily)
                print(_row(case, options.streams), flush=True)
    print(f"\n{options.streams} streams for each row, {time.process_time() - began:.0f} s of processor time")


def _row(case: CalmCase, streams: int) -> str:
    alerts = false_alerts(case, streams)
    figures = " | ".join(f"{case.allowed(budget, streams):.0f} | {alerts[budget]}" for budget in BUDGETS)
    return f"| {case.problem} | {case.unit}s of {UNITS[case.unit].rows:,} rows | {case.chunks} | {figures} |"


def false_alerts(case: CalmCase, streams: int, budgets: Sequence[float] = BUDGETS) -> Mapping[float, int]:
    """Return the number of alerts on calm streams, each with a reference of its own, by budget."""
    random, unit = np.random.default_rng([case.chunks, streams]), UNITS[case.unit]
    drifting = random.random(unit.stream) < case.drifting
    drawn = [DRAW[case.problem](case, random) for _ in range(streams)]
    return {budget: count_alerts(drawn, 1 / unit.a_year, budget, drifting) for budget in budgets}


def streams_found(case: CalmCase, streams: int, chunks: int, budget: float = 1.0) -> int:
    """Return in how many streams an alert comes within the first chunks."""
    random, years = np.random.default_rng([case.chunks, streams]), 1 / UNITS[case.unit].a_year
    calm = np.zeros(chunks, dtype=bool)
    return sum(count_alerts([DRAW[case.problem](case, random)], years, budget, calm) > 0 for _ in range(streams))


def count_alerts(drawn: Sequence[Drawn], years: float, budget: float, drifting: npt.NDArray[np.bool_]) -> int:
    """Return the alerts of streams with chunks of `years` years, all of which drift in the same chunks."""
    components = drawn[0][1].components
    usable = np.stack([fitted.usable for _, fitted in drawn])
    weights = {
        stage: np.where(mask & usable, components.weights, 0.0) for stage, mask in components.stage_masks.items()
    }
    evidence = {
        stage: np.where(weights[stage] > 0, np.stack([of_stream[stage] for of_stream, _ in drawn], axis=1), 0.0)
        for stage in Stage
    }
    saved = dict.fromkeys(Stage, RESERVE / budget)
    ratios, alerts = np.zeros(usable.shape), 0
    for place, drifts in enumerate(drifting.tolist()):
        for stage in Stage:
            saved[stage], mass = masses(saved[stage], years, budget, drifting=drifts)
            ratios = grow(ratios, weights[stage] * mass, evidence[stage][place])
        crossed = ratios.sum(axis=-1) >= 1 / budget
        ratios[crossed] = 0.0
        alerts += int(crossed.sum())
    return alerts


def _effects(case: CalmCase, random: np.random.Generator) -> Floats:
    """Return four effects by chunk of the reference and the stream: at random, by the day, and by its weekday."""
    unit = UNITS[case.unit]
    number = case.chunks + unit.stream
    by_weekday = random.normal(0, case.weekly, (7, EFFECTS))
    weekdays = np.arange(number) // unit.a_day % 7
    effects = random.normal(0, case.spread, (number, EFFECTS)) + by_weekday[weekdays]
    effects += random.normal(0, case.daily, (number, EFFECTS))[np.arange(number) // unit.a_day]
    effects[case.chunks :, 0] += case.shift
    return effects


def _binary(case: CalmCase, random: np.random.Generator) -> Drawn:
    """Draw a reference and a stream of a binary model whose log-odds and their slope vary."""
    effects, log_odds = _effects(case, random), logit(SCORES)
    weights = SHARES * SCORES * (1 - SCORES)
    offsets = log_odds - (weights @ log_odds) / weights.sum()
    chances = expit(log_odds + effects[:, :1] + effects[:, 1:2] * offsets)
    scored = random.multinomial(UNITS[case.unit].rows, SHARES, size=len(effects))
    positives = random.binomial(scored, chances)
    counts, fitted = _fit_classifier(case, ScoredClass(SCORES, PREDICTIONS, scored, positives))
    return _evidence(case, fitted, counts[case.chunks :]), fitted


@dataclass(frozen=True)
class ScoredClass:
    """The scores of a class, whether each predicts it, and its rows by chunk and score: all, and those of the class."""

    scores: Floats
    predicted: Integers
    scored: Integers
    positives: Integers

    def by_bin(self, bins: ScoreBins, by_score: Integers) -> Integers:
        """Return rows by chunk and score as counts of shape (chunks, 2, bins)."""
        counts = np.zeros((len(by_score), 2, bins.count), dtype=np.int64)
        for place, bin_ in enumerate(bins.bin_of_cell[bins.grid.cells(self.scores)].tolist()):
            counts[:, self.predicted[place], bin_] += by_score[:, place]
        return counts


def _fit_classifier(case: CalmCase, part: ScoredClass) -> tuple[ScoreCounts, FittedBinaryEvidence]:
    """Return the counts of all chunks, and the evidence fitted on those of the reference."""
    past, grid = slice(case.chunks), ScoreGrid.of(part.scores)
    cells = grid.cells(part.scores)
    by_label = ((part.scored - part.positives)[past].sum(0), part.positives[past].sum(0), np.zeros(len(part.scores)))
    by_cell = np.stack([np.bincount(cells, rows, CELLS).astype(np.int64) for rows in by_label])
    bins = ScoreBins.fit(grid, by_cell)
    counts = ScoreCounts(*(part.by_bin(bins, array) for array in (part.scored, part.scored, part.positives)))
    return counts, binary_fit.fit_on_counts(bins, counts[past], case.chunks, _days(case))


def _multiclass(case: CalmCase, random: np.random.Generator) -> Drawn:
    """Draw a reference and a stream of three classes, whose log-odds and common slope vary."""
    effects, classes = _effects(case, random), PROBABILITIES.shape[1]
    log_chances = np.log(PROBABILITIES) * (1 + effects[:, -1, None, None]) + effects[:, None, :classes]
    chances = np.exp(log_chances)
    scored = random.multinomial(UNITS[case.unit].rows, SHARES_OF_PROBABILITIES, size=len(effects))
    labels = random.multinomial(scored, chances / chances.sum(-1, keepdims=True))
    predicted = PROBABILITIES.argmax(1)
    parts = [
        _fit_classifier(
            case, ScoredClass(PROBABILITIES[:, c], (predicted == c).astype(np.int64), scored, labels[..., c])
        )
        for c in range(classes)
    ]
    fitted = FittedMulticlassEvidence(tuple("abc"), tuple(range(classes)), tuple(part for _, part in parts))
    counts = ScoreCounts.empty(len(effects), classes, BINS)
    for number, (of_class, _) in enumerate(parts):
        for total, array in zip(counts.arrays, of_class.arrays, strict=True):
            total[:, number, :, : array.shape[-1]] = array
    return _evidence(case, fitted, counts[case.chunks :]), fitted


def _regression(case: CalmCase, random: np.random.Generator) -> Drawn:
    """Draw a reference and a stream of a regression whose mean residuals, sizes and expected losses vary."""
    rows, effects = UNITS[case.unit].rows, _effects(case, random)
    shifts, sizes = effects[:, 0] * np.sqrt(FREEDOM / (FREEDOM - 2)), np.exp(effects[:, 1] / 2)
    losses = LOSS + LOSS_SPREAD * effects[:, 2]
    chunk = np.repeat(np.arange(case.chunks), rows)
    residuals = random.standard_t(FREEDOM, len(chunk)) * sizes[chunk] + shifts[chunk]
    bins = ResidualBins.fit(Outputs(residuals, np.zeros(len(residuals))))
    assert bins is not None
    below = student.cdf((bins.edges - shifts[:, None]) / sizes[:, None], FREEDOM)
    by_bin = np.clip(np.diff(below, axis=1, prepend=0.0, append=1.0), 0, 1)
    counts = random.multinomial(rows, by_bin / by_bin.sum(1, keepdims=True))
    in_bin = bins.bins_of(residuals)
    counts[: case.chunks] = np.bincount(chunk * bins.count + in_bin, minlength=case.chunks * bins.count).reshape(
        case.chunks, -1
    )
    totals = random.normal(rows * losses, LOSS_DEVIATION * np.sqrt(rows))
    sizes_of = np.full(len(effects), rows)
    sums = np.stack([sizes_of, rows * shifts, rows * sizes, sizes_of, totals], axis=-1).astype(np.float64)
    number = np.bincount(in_bin, minlength=bins.count)
    means, absolute = (np.bincount(in_bin, values, bins.count) / number for values in (residuals, np.abs(residuals)))
    values = regression_fit.ResidualValues(means, absolute, float(np.abs(residuals).std()))
    minimum = max(MINIMUM_BLOCK_ROWS, rows_of_a_day(sums[: case.chunks, 3], _days(case)))
    _, block_rows, block_totals, _, _ = blocks_of(sums[: case.chunks, 3], sums[: case.chunks, 4], minimum)
    expected = ExpectedLoss.fit(Loss.ABSOLUTE, block_rows, block_totals, LOSS_DEVIATION**2, minimum)
    fitted = regression_fit.fit_on_counts(values, counts[: case.chunks], expected, rows, _days(case))
    assert not isinstance(fitted, NoEvidence)
    return _evidence(case, fitted, ResidualCounts(counts, sums)[case.chunks :]), fitted


def _days(case: CalmCase) -> npt.NDArray[np.int64] | None:
    """Return the days of the reference's chunks; the first is a Monday."""
    return None if case.unit == "week" else 1 + np.arange(case.chunks) // UNITS[case.unit].a_day


def _evidence(case: CalmCase, fitted: FittedEvidence, counts: ScoreCounts | ResidualCounts) -> dict[Stage, Floats]:
    unit, empty = UNITS[case.unit], fitted.empty_counts()
    weekdays = (case.chunks + np.arange(unit.stream)) // unit.a_day % 7
    return {stage: fitted.evidence(stage, counts, empty, weekdays).log_evidence for stage in Stage}


DRAW = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}


if __name__ == "__main__":
    main()
