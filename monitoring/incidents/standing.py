"""What a verdict means for an incident: whether it opens one, keeps it open or ends it. No I/O here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State


class Standing(StrEnum):
    """What the verdict of a chunk says about an incident.

    Trouble opens an incident and keeps it open, calm ends it, and so do two quiet chunks in a row: their labels are
    missing, but the estimate is inside its bounds. An undecided chunk changes nothing.
    """

    TROUBLE = "trouble"
    CALM = "calm"
    QUIET = "quiet"
    UNDECIDED = "undecided"


class Severity(StrEnum):
    """How severe a chunk in trouble is."""

    WARN = "warn"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class StoredVerdictEvent:
    """A changed verdict as the outbox has it; `evidence` is None for an open chunk, and where there is no detector."""

    number: int
    chunk: Chunk
    state: State
    closed: bool
    backfill: bool
    reasons: tuple[str, ...]
    evidence: ChunkEvidence | None
    labels_as_of: datetime | None
    derived_at: datetime

    @property
    def standing(self) -> Standing:
        """What the verdict says about an incident; with a detector, an incident lasts as long as the detector's."""
        if not self.closed:
            return Standing.UNDECIDED
        if self.evidence is not None:
            in_trouble = self.evidence.alert or self.evidence.incident_since is not None or self.state is State.ALERT
            return Standing.TROUBLE if in_trouble else Standing.CALM
        return _WITHOUT_DETECTOR.get(self.state, Standing.UNDECIDED)

    @property
    def severity(self) -> Severity:
        """How severe the trouble is: an alert, or a warning while the incident lasts."""
        return Severity.ALERT if self.state is State.ALERT else Severity.WARN

    @property
    def meaning(self) -> tuple[Standing, Severity | None]:
        """The standing, and in trouble the severity: a revision that leaves both as they were changes no incident."""
        return self.standing, self.severity if self.standing is Standing.TROUBLE else None


_WITHOUT_DETECTOR = {
    State.WARN: Standing.TROUBLE,
    State.ALERT: Standing.TROUBLE,
    State.OK: Standing.CALM,
    State.PENDING_LABELS: Standing.QUIET,
}
