"""Compares the models on the known beats, with folds that are blocks of time. No I/O here.

A beat is predicted by models that saw neither its block nor the 8 beats beside it, whose intervals its ratio contains.
Errors are standard errors of a bootstrap of blocks, since neighbouring beats are alike; a share without any failure has
the bootstrap error 0, so that the exact interval of each class's recall says more. The paired test is McNemar's, exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, binomtest

from examples.ecg.models.classifiers import TRAINERS, predicted
from examples.ecg.record.beats import Beats
from examples.ecg.record.etl import EARLIER
from examples.ecg.steps import CLASSES

Numbers = npt.NDArray[np.int64]
Symbols = npt.NDArray[np.str_]
FOLDS, BLOCK, REPEATS = 5, 25, 500
"""Folds, beats of a block of the bootstrap, and its repeats."""
RARE = "A"
"""The class of Youden's J: it against the rest."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class EstimatedMetric:
    """A value with its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Recall:
    """How many beats of a class were recognized, and the exact interval of the share that would be."""

    recognized: int
    beats: int
    lower: float
    upper: float


@dataclass(frozen=True)
class PairedTest:
    """Beats that only one of the models predicts correctly, and the p-value of McNemar's exact test."""

    first_only: int
    second_only: int
    p_value: float


def out_of_fold(beats: Beats) -> dict[str, Symbols]:
    """Return what each model predicts for each beat, from other blocks of time."""
    features, numbers = beats.features, np.arange(len(beats))
    predictions = {name: np.full(len(beats), "", dtype="<U1") for name in TRAINERS}
    for tested in np.array_split(numbers, FOLDS):
        trained = numbers[(numbers < tested[0] - EARLIER) | (numbers > tested[-1] + EARLIER)]
        for name, train in TRAINERS.items():
            model = train(features.iloc[trained], beats.symbols.iloc[trained])
            predictions[name][tested] = predicted(model.probabilities(features.iloc[tested]))
    return predictions


def measures(symbols: Symbols, predictions: Symbols) -> dict[str, EstimatedMetric]:
    """Return accuracy, weighted F1 and Youden's J with their standard errors."""
    drawn = [_values(symbols[rows], predictions[rows]) for rows in _bootstrap(len(symbols), np.random.default_rng(1))]
    return {
        name: EstimatedMetric(value, float(np.std([values[name] for values in drawn], ddof=1)))
        for name, value in _values(symbols, predictions).items()
    }


def recalls(symbols: Symbols, predictions: Symbols) -> dict[str, Recall]:
    """Return each class's recall; a class without beats is left out."""
    counts = {name: int((symbols == name).sum()) for name in CLASSES}
    hits = {name: int(((symbols == name) & (predictions == name)).sum()) for name in CLASSES}
    return {
        name: Recall(hits[name], count, *_exact_interval(hits[name], count)) for name, count in counts.items() if count
    }


def paired_test(symbols: Symbols, first: Symbols, second: Symbols) -> PairedTest:
    """Return McNemar's exact test of the same beats predicted by two models."""
    only = int(((first == symbols) & (second != symbols)).sum())
    other = int(((first != symbols) & (second == symbols)).sum())
    return PairedTest(only, other, float(binomtest(only, only + other).pvalue) if only + other else 1.0)


def _values(symbols: Symbols, predictions: Symbols) -> Mapping[str, float]:
    """Return accuracy, weighted F1 and Youden's J, each by name."""
    hit = symbols == predictions
    f1 = {}
    for name in CLASSES:
        correct = float((hit & (symbols == name)).sum())
        total = float((symbols == name).sum() + (predictions == name).sum())
        f1[name] = 2 * correct / total if total else 0.0
    rare, flagged = symbols == RARE, predictions == RARE
    sensitivity = float(flagged[rare].mean()) if rare.any() else 0.0
    return {
        "accuracy": float(hit.mean()),
        "weighted_f1": sum(f1[name] * float((symbols == name).mean()) for name in CLASSES),
        "youden_j": sensitivity + float((~flagged[~rare]).mean()) - 1,
    }


def _bootstrap(rows: int, rng: np.random.Generator) -> Iterator[Numbers]:
    """Yield rows of blocks drawn with replacement; a block wraps around the end."""
    for _ in range(REPEATS):
        starts = rng.integers(0, rows, -(-rows // BLOCK))
        yield ((starts[:, np.newaxis] + np.arange(BLOCK)) % rows).ravel()[:rows]


def _exact_interval(hits: int, count: int) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson."""
    tail = (1 - CONFIDENCE) / 2
    lower = float(beta.ppf(tail, hits, count - hits + 1)) if hits else 0.0
    upper = float(beta.ppf(1 - tail, hits + 1, count - hits)) if hits < count else 1.0
    return lower, upper
