"""The requests and responses about incidents, as types that /openapi.json shows."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.results import State
from monitoring.api.schemas import Instant
from monitoring.incidents.action_log import ActionKind, IncidentAction
from monitoring.incidents.derivation import IncidentEvent, IncidentEventKind, IncidentState
from monitoring.incidents.silences import LONGEST_REASON
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import IncidentComment, StoredIncident

MOST_INCIDENTS = 1_000
_EXAMPLE: dict[str, Any] = {
    "number": 7,
    "model": "churn",
    "version": 1,
    "state": "open",
    "severity": "warn",
    "worst": "alert",
    "first": "2026-05-12T00:00:00Z",
    "last": "2026-05-16T00:00:00Z",
    "opened_at": "2026-05-13T00:00:20Z",
    "changed_at": "2026-05-17T00:00:20Z",
    "backfill": False,
    "reasons": ["The incident that began with the alert of 12 May 2026 is still open."],
    "acknowledged_at": "2026-05-13T08:12:00Z",
    "acknowledged_by": "anna",
    "owner": "retention team",
    "assigned_to": "anna",
    "silenced_until": "2026-05-18T08:00:00Z",
    "silenced_by": "anna",
    "silence_reason": "The partner repairs the feed.",
}


class IncidentsQuery(BaseModel):
    """Which incidents: the newest, or those before the number of one; with chunks from `from` to `to`."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    state: IncidentState | None = None
    since: Instant | None = Field(None, alias="from")
    until: Instant | None = Field(None, alias="to")
    most: int = Field(100, ge=1, le=MOST_INCIDENTS)
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="the last number of the page before")


class CommentIn(BaseModel):
    """A comment; the author is the name of the token, or, where no token is needed, `author`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "A partner's feed was late."}})

    text: str = Field(min_length=1, max_length=2_000)
    author: str | None = Field(None, min_length=1, max_length=64)


class AssignmentIn(BaseModel):
    """Who works on an incident; null is nobody. The author is the name of the token, or, without tokens, `author`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "anna"}})

    to: str | None = Field(min_length=1, max_length=64)
    author: str | None = Field(None, min_length=1, max_length=64)


class SilenceIn(BaseModel):
    """Until when, at most 366 days, no alert about an incident is sent, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"until": "2026-05-18T08:00:00Z", "reason": "The partner repairs the feed."}},
    )

    until: Instant
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    author: str | None = Field(None, min_length=1, max_length=64)


class IncidentOut(BaseModel):
    """An incident of a model version: a run of chunks in trouble, from `first` to `last`."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    number: int
    model: str
    version: int
    state: IncidentState = Field(description="`withdrawn`: later labels or another spec left no chunk in trouble")
    severity: Severity = Field(description="of the last chunk in trouble")
    worst: Severity
    first: datetime = Field(description="start of the first chunk")
    last: datetime = Field(description="start of the last chunk in trouble")
    opened_at: datetime = Field(description="when the verdict that opened it was derived")
    changed_at: datetime
    backfill: bool = Field(description="it was opened by a chunk that had ended long before")
    reasons: tuple[str, ...] = Field(description="of the last chunk in trouble, most severe first")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    owner: str | None = Field(description="of the model")
    assigned_to: str | None = Field(description="who works on it")
    silenced_until: datetime | None = Field(description="no alert about it is sent before")
    silenced_by: str | None
    silence_reason: str | None

    @classmethod
    def of(cls, incident: StoredIncident) -> Self:
        """Return the JSON object of an incident."""
        return cls(**incident_values(incident))


def incident_values(incident: StoredIncident) -> dict[str, Any]:
    """Return the fields of an incident by name."""
    return {name: getattr(incident, name) for name in StoredIncident.__dataclass_fields__}


class IncidentsOut(BaseModel):
    """Incidents, the newest number first."""

    model_config = ConfigDict(json_schema_extra={"example": {"incidents": [_EXAMPLE]}})

    incidents: tuple[IncidentOut, ...]


class IncidentStateOut(BaseModel):
    """The state of an incident that was acknowledged or commented on; to read the incident takes the scope `read`."""

    model_config = ConfigDict(json_schema_extra={"example": {"number": 7, "state": "open"}})

    number: int
    state: IncidentState


class IncidentEventOut(BaseModel):
    """What happened in an incident; `revised` is a closed chunk with another state, before it the same chunk's."""

    kind: IncidentEventKind
    chunk: datetime = Field(description="start of the chunk")
    before: State | None
    state: State
    reason: str
    at: datetime = Field(description="when the verdict was derived")

    @classmethod
    def of(cls, event: IncidentEvent) -> Self:
        """Return the JSON object of an event."""
        return cls(
            kind=event.kind,
            chunk=event.chunk_start,
            before=event.before,
            state=event.state,
            reason=event.reason,
            at=event.derived_at,
        )


class CommentOut(BaseModel):
    """A comment on an incident."""

    number: int
    author: str
    text: str
    at: datetime

    @classmethod
    def of(cls, comment: IncidentComment) -> Self:
        """Return the JSON object of a comment."""
        return cls(number=comment.number, author=comment.author, text=comment.text, at=comment.written_at)


class ActionOut(BaseModel):
    """What somebody did to an incident: `text` is who it is assigned to, or the reason of a silence until `until`."""

    kind: ActionKind
    author: str
    at: datetime
    text: str | None
    until: datetime | None

    @classmethod
    def of(cls, action: IncidentAction) -> Self:
        """Return the JSON object of an action."""
        return cls(kind=action.kind, author=action.author, at=action.at, text=action.text, until=action.until)


class IncidentDetailOut(IncidentOut):
    """An incident with its events, in the order of its chunks, and its comments and what people did, oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE | {"events": [], "comments": [], "actions": []}})

    events: tuple[IncidentEventOut, ...]
    comments: tuple[CommentOut, ...]
    actions: tuple[ActionOut, ...]
