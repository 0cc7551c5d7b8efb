"""The detector's input for a chunk, and the evidence that it returns. No I/O here."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import log
from typing import Any, Self

from driftline.engine.evidence.families import Family, metric_of
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.results import Metric

YEAR = timedelta(days=365.25)
SMALLEST_THRESHOLD = 2.0
"""The least evidence for an incident, in chunks, even where a chunk is longer than the time between allowed alerts."""

_STORED_KEYS = {"withheld": "gated", "incident_since": "incident"}
"""The keys of stored evidence that differ from the fields: they are older than the names of these."""
_FIELDS = {key: name for name, key in _STORED_KEYS.items()}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """The number of false alerts allowed per year, and whether an alert requires harm as well as change."""

    budget: float
    harm_only: bool = False

    def level(self, chunk: "DetectorInput") -> float:
        """Return the log of the threshold in chunks, at which an incident starts."""
        return log(max(1 / (self.budget * chunk.years), SMALLEST_THRESHOLD))


@dataclass(frozen=True, slots=True, eq=False)
class DetectorInput:
    """A half-open chunk [start, end) with its counts, and the instants at which the detector reads it.

    `closes_at` is when its scores are read, `labels_at` when its labels are: once they are due and the chunk has
    closed. `closed` and `labels_in` state that its scores, and enough of its labels, are in; `drifting` that drift
    lasts in it. `weekday` is that of its start in the time zone of the spec, Monday 0.
    """

    start: datetime
    end: datetime
    closes_at: datetime
    labels_at: datetime
    counts: Counts
    closed: bool
    labels_in: bool
    drifting: bool = False
    weekday: int = 0

    @property
    def years(self) -> float:
        """The length of the chunk in years."""
        return (self.end - self.start) / YEAR


@dataclass(frozen=True, slots=True)
class Change:
    """The change with the most evidence: its family, component and start, and the observed and usual values since.

    `log_evidence` is the natural logarithm of how much likelier the change made the data since then. `share_of_alert`
    is the evidence of all changes together as a share of what an alert requires. Both are None in evidence that was
    stored before they were recorded. `label` is the class that has changed, of a multiclass model.
    """

    family: Family
    component: int
    since: datetime
    observed: float
    usual: float
    log_evidence: float | None = None
    share_of_alert: float | None = None

    label: str | None = None

    @property
    def metric(self) -> Metric | None:
        """The metric that has changed; None for the share of positives, mean residuals and expected losses."""
        return metric_of(self.family, self.component)

    def to_dict(self) -> dict[str, Any]:
        """Return the change as JSON-compatible values."""
        return asdict(self) | {"family": self.family.value, "since": self.since.isoformat()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the change that `to_dict` serialized."""
        since = datetime.fromisoformat(stored["since"])
        return cls(**stored | {"family": Family(stored["family"]), "since": since})


@dataclass(frozen=True, slots=True)
class ChunkEvidence:
    """The evidence about a chunk; an alert and a warning have a `change`.

    `withheld` means that an alert was withheld because no metric has fallen by its margin. `incident_since` is the
    start of the incident that was open when the chunk closed. `no_skill` is the ROC AUC of its labels if it is not
    distinguishable from 0.5.
    """

    alert: bool = False
    warning: bool = False
    withheld: bool = False
    """Stored as `gated`."""
    change: Change | None = None
    incident_since: datetime | None = None
    """Stored as `incident`."""
    no_skill: float | None = None

    def merge(self, other: "ChunkEvidence") -> "ChunkEvidence":
        """Merge the evidence of a chunk's scores and labels; an alert takes precedence over a warning."""
        first, second = (self, other) if self.alert or not other.alert else (other, self)
        return ChunkEvidence(
            first.alert,
            not first.alert and (first.warning or second.warning),
            not first.alert and (first.withheld or second.withheld),
            first.change or second.change,
            first.incident_since or second.incident_since,
            first.no_skill if first.no_skill is not None else second.no_skill,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as JSON-compatible values."""
        change, since = self.change and self.change.to_dict(), self.incident_since and self.incident_since.isoformat()
        values: dict[str, Any] = asdict(self) | {"change": change, "incident_since": since}
        return {_STORED_KEYS.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the evidence that `to_dict` serialized."""
        change = stored["change"] and Change.from_dict(stored["change"])
        since = stored["incident"] and datetime.fromisoformat(stored["incident"])
        values = {_FIELDS.get(key, key): value for key, value in stored.items()}
        return cls(**values | {"change": change, "incident_since": since})
