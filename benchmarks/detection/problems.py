"""Measure the evidence of each problem: false alerts on calm streams, and changes that are found.

    python -m benchmarks.detection.problems --streams 4 --seeds 4 --unit day      # some minutes

Calm: each stream has a reference of its own; log-odds, mean residuals and their size vary between chunks, so
that "nothing changes" is not "all chunks are alike". Changes: a reference of 21 days, 14 calm days and 7 changed ones
of 400 rows go through `driftline.Monitor`, with a budget of one false alert a year and with bounds alone.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

import driftline as dl
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.evidence.chunk_evidence import AlertRule, DetectorInput
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.problems import count_evidence
from driftline.engine.evidence.replay import replay
from driftline.engine.results import State
from driftline.monitor import FittedMonitor

Floats = npt.NDArray[np.float64]
START = pd.Timestamp("2026-01-05", tz="UTC")
UNITS = {"hour": (timedelta(hours=1), 40), "day": (timedelta(days=1), 950), "week": (timedelta(days=7), 6650)}
YEAR = timedelta(days=365.25)
REFERENCES = {"hour": (24, 168, 504), "day": (8, 21, 60), "week": (8, 26)}
"""The numbers of chunks of references."""
STREAM_YEARS = {"hour": 0.25, "day": 1.0, "week": 2.0}
"""The length of a calm stream."""
SPREAD = 0.1
"""The standard deviation between chunks of log-odds, and of the mean residual in standard deviations."""
CLASSES = ("a", "b", "c")
FREEDOM = 4
"""Residuals follow Student's t with so few degrees of freedom."""


@dataclass(frozen=True)
class InjectedChange:
    """What changes: a shift of log-odds or of residuals, the slope of log scores or size of residuals, the inputs."""

    name: str
    shift: float = 0.0
    factor: float = 1.0
    inputs: float = 0.0


CALM = InjectedChange("none")
CHANGES = {
    "multiclass": (
        InjectedChange("a class more frequent, by 0.4 log-odds", shift=0.4),
        InjectedChange("the same by 0.8", shift=0.8),
        InjectedChange("scores rank worse: slope 0.75", factor=0.75),
        InjectedChange("slope 0.5", factor=0.5),
        InjectedChange("harder inputs, scores still calibrated", inputs=1.0),
    ),
    "regression": (
        InjectedChange("residuals move by 0.25 standard deviations", shift=0.25),
        InjectedChange("by 0.5", shift=0.5),
        InjectedChange("residuals larger by 15 %", factor=1.15),
        InjectedChange("by 40 %", factor=1.4),
        InjectedChange("inputs with larger residuals", inputs=1.0),
    ),
}


def main() -> None:
    """Print the table of calm streams, and that of changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=4, help="calm streams for each row, each with a reference")
    parser.add_argument("--seeds", type=int, default=4, help="models for each problem")
    parser.add_argument("--unit", action="append", choices=UNITS, help="may be given again; default: all")
    options = parser.parse_args()
    began = time.monotonic()
    print("| problem | chunks | reference | false alerts, budget 1 | budget 12 |\n|---|---|---|---|---|")
    for problem in ("binary", *CHANGES):
        for unit in options.unit or UNITS:
            for chunks in REFERENCES[unit]:
                print(_calm_row(problem, unit, chunks, options.streams), flush=True)
    print(f"\n{time.monotonic() - began:.0f} s\n\n{_CHANGES_HEAD}")
    for problem in CHANGES:
        for row in _change_rows(problem, options.seeds):
            print(row, flush=True)
    print(f"\n{time.monotonic() - began:.0f} s")


def rows(
    problem: str, random: np.random.Generator, sizes: Sequence[int], change: InjectedChange, spread: float
) -> pd.DataFrame:
    """Return the outputs and one feature of chunks of these sizes; what is behind labels varies between chunks."""
    chunk = np.repeat(np.arange(len(sizes)), sizes)
    count = len(chunk)
    noise = random.normal(0, spread, (len(sizes), 3))[chunk]
    x = random.normal(size=count) + change.inputs
    if problem == "regression":
        residuals = (
            random.standard_t(FREEDOM, count) * np.exp(noise[:, 0] / 2) * change.factor * (0.6 + 0.4 * np.abs(x))
        )
        prediction = 3 * x + random.normal(size=count)
        return pd.DataFrame(
            {"x": x, "prediction": prediction, "label": prediction + residuals + noise[:, 1] + change.shift}
        )
    width = np.exp(-0.5 * change.inputs)
    if problem == "binary":
        log_odds = (random.normal(-2.2, 1.6, count)) * width
        truth = log_odds * change.factor + change.shift + noise[:, 0]
        score = 1 / (1 + np.exp(-log_odds))
        label = random.random(count) < 1 / (1 + np.exp(-truth))
        return pd.DataFrame({"x": x, "probability_1": score, "prediction": score > 0.3, "label": label}, dtype=float)
    log_scores = random.normal(size=(count, 3)) * 1.3 * width + np.array([0.8, 0.0, -0.8])
    truth = log_scores * change.factor + noise + np.array([0.0, change.shift, 0.0])
    scores, chances = (np.exp(v) / np.exp(v).sum(1, keepdims=True) for v in (log_scores, truth))
    names = np.array(CLASSES)
    labels = names[(random.random((count, 1)) > chances.cumsum(1)[:, :2]).sum(1)]
    columns = {f"probability_{name}": scores[:, place] for place, name in enumerate(CLASSES)}
    return pd.DataFrame({"x": x, **columns, "prediction": names[scores.argmax(1)], "label": labels})


def _spec(problem: str, period: str) -> dl.Spec:
    classes = CLASSES if problem == "multiclass" else ()
    return dl.Spec(problem=problem, classes=classes, columns=("x",), period=period, metrics=())


def _timed(frame: pd.DataFrame, sizes: Sequence[int], start: pd.Timestamp, length: timedelta) -> pd.DataFrame:
    """Return rows with event times within their chunks, and ids."""
    chunk = np.repeat(np.arange(len(sizes)), sizes)
    within = np.concatenate([np.arange(size) / size for size in sizes])
    times = start + pd.to_timedelta((chunk + within) * length.total_seconds(), unit="s")
    return frame.assign(event_time=times.as_unit("us"), id=np.arange(len(frame)) + start.value)


def _calm_row(problem: str, unit: str, chunks: int, streams: int) -> str:
    """Return a row of the table of false alerts: how many in how many years without a change."""
    (length, size), budgets = UNITS[unit], (1.0, 12.0)
    years, alerts = 0.0, dict.fromkeys(budgets, 0)
    for seed in range(streams):
        random = np.random.default_rng([seed, chunks])
        monitor = _fit(problem, random, chunks, size, unit)
        evidence = monitor.reference.evidence
        assert evidence is not None
        number = round(STREAM_YEARS[unit] * YEAR / length)
        calm = list(_scored(monitor, evidence, problem, random, number, size, length))
        years += number * (length / YEAR)
        for budget in budgets:
            chunk_evidence = replay(evidence, AlertRule(budget), calm, keep_histories=False).evidence.values()
            alerts[budget] += sum(chunk.alert for chunk in chunk_evidence)
    figures = " | ".join(f"{alerts[budget]} in {years:.1f} years" for budget in budgets)
    return f"| {problem} | {unit}s of {size:,} rows | {chunks} chunks | {figures} |"


def _fit(problem: str, random: np.random.Generator, chunks: int, size: int, unit: str) -> FittedMonitor:
    sizes, (length, _) = [size] * chunks, UNITS[unit]
    frame = _timed(rows(problem, random, sizes, CALM, SPREAD), sizes, START, length)
    spec = _spec(problem, f"1{unit[0]}")
    return FittedMonitor(spec, fit_reference(frame, spec))


def _scored(
    monitor: FittedMonitor,
    evidence: FittedEvidence,
    problem: str,
    random: np.random.Generator,
    number: int,
    size: int,
    length: timedelta,
) -> Iterator[DetectorInput]:
    """Yield calm chunks; in one of fifty, at random, drift seems to last."""
    start = START.to_pydatetime() + timedelta(days=700)
    performance = monitor.reference.methods.performance
    frame = rows(problem, random, [size] * number, CALM, SPREAD)
    for place in range(number):
        summary = performance.summarize(frame[place * size : (place + 1) * size], monitor.spec)
        counts = count_evidence(evidence, summary)
        assert counts is not None
        opens, ends = start + place * length, start + (place + 1) * length
        drifting = bool(random.random() < 0.02)
        yield DetectorInput(opens, ends, ends, ends, counts.narrowed(), closed=True, labels_in=True, drifting=drifting)


_CHANGES_HEAD = (
    "| problem | change | found on the first day, within 2, within 7: alerts within the budget | alerts by bounds |\n"
    "|---|---|---|---|"
)
CALM_DAYS, CHANGED_DAYS, DAY_ROWS, REFERENCE_DAYS = 14, 7, 400, 21


def _change_rows(problem: str, seeds: int) -> Iterator[str]:
    """Yield the rows of the table of detected changes, and a last one with the false alerts before them."""
    alerts: dict[str, dict[str, list[int | None]]] = {}
    false = {"evidence": 0, "bounds": 0}
    for seed in range(seeds):
        random = np.random.default_rng([seed, 99])
        frame = rows(problem, random, [DAY_ROWS] * REFERENCE_DAYS, CALM, SPREAD)
        length = timedelta(days=1)
        reference = _timed(frame, [DAY_ROWS] * REFERENCE_DAYS, START, length)
        monitor = dl.Monitor(_spec(problem, "1d")).fit(reference)
        by_bounds = FittedMonitor(monitor.spec.model_copy(update={"alert_budget": None}), monitor.reference)
        start = START + timedelta(days=REFERENCE_DAYS)
        calm = _evaluated(monitor, problem, random, start, CALM_DAYS, CALM)
        for name, judge in (("evidence", monitor), ("bounds", by_bounds)):
            false[name] += sum(v.state is State.ALERT for v in judge.verdicts(calm))
        for change in CHANGES[problem]:
            changed = _evaluated(monitor, problem, random, start + timedelta(days=CALM_DAYS), CHANGED_DAYS, change)
            for name, judge in (("evidence", monitor), ("bounds", by_bounds)):
                states = [verdict.state for verdict in judge.verdicts([*calm, *changed])][CALM_DAYS:]
                first = states.index(State.ALERT) + 1 if State.ALERT in states else None
                alerts.setdefault(change.name, {}).setdefault(name, []).append(first)
    for name, by_judge in alerts.items():
        figures = " | ".join(_shares(by_judge[judge]) for judge in ("evidence", "bounds"))
        yield f"| {problem} | {name} | {figures} |"
    days = seeds * CALM_DAYS
    yield f"| {problem} | none: false alerts in {days} days | {false['evidence']} | {false['bounds']} |"


def _evaluated(
    monitor: FittedMonitor,
    problem: str,
    random: np.random.Generator,
    start: pd.Timestamp,
    days: int,
    change: InjectedChange,
) -> list[dl.EvaluatedChunk]:
    sizes = [DAY_ROWS] * days
    frame = _timed(rows(problem, random, sizes, change, SPREAD), sizes, start, timedelta(days=1))
    return list(monitor.evaluate_chunks(frame))


def _shares(firsts: Sequence[int | None]) -> str:
    within = (sum(first is not None and first <= days for first in firsts) for days in (1, 2, 7))
    return ", ".join(f"{count}" for count in within) + f" of {len(firsts)}"


if __name__ == "__main__":
    main()
