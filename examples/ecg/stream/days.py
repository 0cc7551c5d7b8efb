"""Simulated days of real beats, from one day on under another gain of the sensor. No I/O here.

A record of half an hour has no days. Which beats a day has is drawn with replacement; no beat is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from examples.ecg.models.classifiers import Classifier, predicted
from examples.ecg.record.beats import Beats
from examples.ecg.record.features import FEATURES
from examples.ecg.steps import AT, ID, PREDICTION, SCORES, SYMBOL

FIRST_DAY, BEGIN = date(2024, 1, 1), time(8, 0, tzinfo=UTC)
LABELLED_AFTER = timedelta(days=1)
"""How long a cardiologist takes to annotate a day's beats."""


@dataclass(frozen=True)
class BeatPlan:
    """Days of the reference, days after them, beats of each, and the gain from one of the later days on."""

    reference: int = 20
    streamed: int = 14
    beats: int = 500
    gain: float = 0.8
    gain_from: int | None = 6
    seed: int = 1

    @property
    def days(self) -> list[date]:
        """All days in order."""
        return [FIRST_DAY + timedelta(days=number) for number in range(self.reference + self.streamed)]

    @property
    def drift_day(self) -> date | None:
        """The first day under the other gain."""
        return None if self.gain_from is None else self.days[self.reference + self.gain_from]

    def gain_on(self, number: int) -> float:
        """Return the factor of all voltages on a day, by its number."""
        changed = self.gain_from is not None and number >= self.reference + self.gain_from
        return self.gain if changed else 1.0


SHORT = BeatPlan(streamed=5, gain_from=1)
"""Enough for a drift that lasts: its verdict waits for the labels, which come a day later."""


@dataclass(frozen=True)
class BeatDay:
    """The beats of a day: what the sensor gives, with an instant and an id for each."""

    beats: Beats
    instants: list[datetime]
    ids: list[str]


def draw_days(unseen: Beats, plan: BeatPlan, *, reference: bool) -> Iterator[BeatDay]:
    """Yield the days of the reference, or those after it; a day's beats depend on seed and number alone."""
    numbers = range(plan.reference) if reference else range(plan.reference, plan.reference + plan.streamed)
    for number in numbers:
        rows = np.random.default_rng([plan.seed, number]).integers(0, len(unseen), plan.beats)
        drawn = unseen.take(rows)
        sensed = Beats(drawn.symbols, drawn.intervals, drawn.ratios, np.round(drawn.samples * plan.gain_on(number), 4))
        begin = datetime.combine(plan.days[number], BEGIN)
        instants = [begin + timedelta(seconds=float(seconds)) for seconds in np.cumsum(drawn.intervals)]
        yield BeatDay(sensed, instants, [f"{begin:%Y-%m-%d}-{beat:04d}" for beat in range(plan.beats)])


def scored(model: Classifier, days: Iterator[BeatDay]) -> pd.DataFrame:
    """Return days as the monitor takes them: `id`, `at`, features, scores, `prediction` and `symbol`."""
    return pd.concat([_scored_day(model, day) for day in days], ignore_index=True)


def _scored_day(model: Classifier, day: BeatDay) -> pd.DataFrame:
    features = day.beats.features[list(FEATURES)]
    probabilities = model.probabilities(features)
    columns: dict[str, Any] = dict(zip(SCORES, probabilities.T, strict=True))
    columns |= {ID: day.ids, AT: day.instants, PREDICTION: predicted(probabilities), SYMBOL: day.beats.symbols}
    return features.assign(**columns)
