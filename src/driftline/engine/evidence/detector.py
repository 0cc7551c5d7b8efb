"""The detector: accumulates e-values over time and alerts within a budget. No I/O here.

A Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo 2022). With e-values whose mean is at most 1 given the past, the
sum of the ratios minus the added mass is a supermartingale, and each alert removes at least 1 / budget of it. So there
are at most `budget * years + RESERVE` false alerts on average, whatever the length of chunks, the number of components
and the dependence between them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import numpy as np

from driftline.engine.evidence.families import Stage
from driftline.engine.frames.columns import BoolArray, FloatArray

RESERVE = 0.2
"""The mass, in alerts, that is reserved for chunks where drift lasts; the reserve is full at the start."""
LARGEST_LOG = 60.0
"""Larger logarithms of e-values are cut to this one, so that no e-value overflows; it is far beyond every threshold."""
LARGEST_RATIO = 1e9
"""Larger ratios, in years, are cut to this one, so that the product of many e-values does not overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorState:
    """The part of the detector's state that decides about alerts.

    `ratios` are the Shiryaev-Roberts sums, one for each component: for each chunk with which the change may have begun,
    the mass added with that chunk times the product of the e-values since, summed over these chunks. Mass is time, so
    that ratios are in years. `saved` is the mass, one for each stage, that is reserved for lasting drift, in years.
    """

    ratios: FloatArray
    saved: FloatArray

    @classmethod
    def start(cls, budget: float, components: int) -> Self:
        """Return the state before any chunk, for `budget` false alerts a year."""
        return cls(np.zeros(components), np.full(len(Stage), RESERVE / budget))

    @property
    def total(self) -> float:
        """The sum of the ratios in years, to be compared with 1 / budget."""
        return float(self.ratios.sum())

    def advance(
        self,
        stage: Stage,
        log_evidence: FloatArray,
        years: float,
        budget: float,
        *,
        drifting: bool,
        weights: FloatArray,
    ) -> "DetectorState":
        """Return the state after a chunk of this many years whose data has arrived at `stage`.

        `weights` are those of the stage's components that the reference allows; others are 0 and do not change. Half
        of the chunk's mass is added at once; the other half is saved, up to `RESERVE`, and added with a chunk where
        drift lasts.
        """
        row = list(Stage).index(stage)
        saved, mass = masses(float(self.saved[row]), years, budget, drifting=drifting)
        grown = grow(self.ratios, weights * mass, np.where(weights > 0, log_evidence, 0.0))
        all_saved = self.saved.copy()
        all_saved[row] = saved
        return replace(self, ratios=grown, saved=all_saved)

    def restarted(self) -> "DetectorState":
        """Return the state after an alert."""
        return replace(self, ratios=np.zeros_like(self.ratios))


def masses(saved: float, years: float, budget: float, *, drifting: bool) -> tuple[float, float]:
    """Return the mass that remains saved, and the mass to add, in years."""
    saved = min(saved + years / 2, RESERVE / budget)
    return (0.0, years / 2 + saved) if drifting else (saved, years / 2)


def grow(ratios: FloatArray, mass: FloatArray, log_evidence: FloatArray) -> FloatArray:
    """Return the ratios after one chunk that adds `mass` to each component.

    Arrays for many streams have further axes before that of the components.
    """
    grown = (ratios + mass) * np.exp(np.minimum(log_evidence, LARGEST_LOG))
    return np.minimum(grown, LARGEST_RATIO)


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """The time since which each component's evidence has grown, and the values observed since.

    `evidence` is the largest sum of log e-values up to now, `since` the start of its first chunk (microseconds since
    1970), `sums` of shape (components, 3) the number of rows since then, and the sums over rows of the observed and of
    the usual value.
    """

    evidence: FloatArray
    since: FloatArray
    sums: FloatArray

    @classmethod
    def start(cls, components: int) -> Self:
        """Return the trends before any chunk."""
        return cls(np.zeros(components), np.zeros(components), np.zeros((components, 3)))

    def advance(self, start: datetime, moving: BoolArray, log_evidence: FloatArray, values: FloatArray) -> "Trends":
        """Return the trends after the chunk that starts at `start`; `values` are as in `sums`."""
        fresh = moving & (self.evidence <= 0)
        evidence = np.where(moving, np.maximum(self.evidence, 0) + log_evidence, self.evidence)
        sums = np.where(fresh[:, None], 0.0, self.sums) + np.where(moving[:, None], values, 0.0)
        return Trends(evidence, np.where(fresh, start.timestamp() * 1e6, self.since), sums)


@dataclass(frozen=True, slots=True)
class DetectorIncident:
    """The chunks from an alert until later evidence outweighs it.

    `level` starts at the log of the alert's threshold in chunks and follows the evidence; at 0 the incident is closed.
    """

    since: datetime | None = None
    level: float = 0.0

    @property
    def open(self) -> bool:
        """Whether evidence for the alert remains."""
        return self.level > 0

    def advance(self, log_evidence: FloatArray, weights: FloatArray, threshold: float) -> "DetectorIncident":
        """Return the incident after a chunk; `threshold` is the level of a new alert. Closed ones stay closed.

        `weights` are those of all components.
        """
        if not self.open:
            return self
        mean = float(np.log(weights @ np.exp(np.minimum(log_evidence, LARGEST_LOG))))
        level = min(self.level + mean, threshold)
        return replace(self, level=level) if level > 0 else DetectorIncident()

    def alerted(self, start: datetime, threshold: float) -> "DetectorIncident":
        """Return the incident after an alert on the chunk that starts at `start`."""
        return DetectorIncident(self.since if self.open else start, threshold)


def state_values(state: DetectorState, trends: Trends, incident: DetectorIncident) -> dict[str, Any]:
    """Return the complete state as JSON-compatible values."""
    return {
        "ratios": state.ratios.tolist(),
        "saved": state.saved.tolist(),
        "trend_scores": trends.evidence.tolist(),
        "trend_since": trends.since.tolist(),
        "trend_sums": trends.sums.tolist(),
        "incident_since": incident.since and incident.since.isoformat(),
        "incident_level": incident.level,
    }


def state_from_values(stored: dict[str, Any]) -> tuple[DetectorState, Trends, DetectorIncident]:
    """Return the parts of the state that `state_values` serialized."""
    arrays = {name: np.asarray(value) for name, value in stored.items() if isinstance(value, list)}
    since = stored["incident_since"]
    return (
        DetectorState(arrays["ratios"], arrays["saved"]),
        Trends(arrays["trend_scores"], arrays["trend_since"], arrays["trend_sums"]),
        DetectorIncident(since and datetime.fromisoformat(since), stored["incident_level"]),
    )
