"""What the JSON API takes and gives, as types that /openapi.json shows."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from driftline.engine.results import Result, ResultKind, State
from driftline.engine.spec import Spec
from monitoring.pages.drift_map import subjects_seen
from monitoring.poll.revisions import Revision
from monitoring.poll.verdicts import StoredVerdict
from monitoring.report.advice import Advice
from monitoring.report.chunk_report import ChunkReport

INSTANT: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}


def _written_out(value: object) -> object:
    """Refuse a bare number: pydantic would count seconds."""
    if isinstance(value, str) and not ISO_8601.match(value):
        raise ValueError("must be an instant such as 2026-01-31 or 2026-01-31T00:00:00Z")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the calendar's end") from None


ISO_8601 = re.compile(r"\d{4}-\d{2}-\d{2}")
Instant = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_utc), WithJsonSchema(INSTANT)]
"""An ISO 8601 instant or date; without an offset it is UTC."""


class ChunkQuery(BaseModel):
    """Which chunks: those that start from `from` to `to`, both included; by default the newest 60."""

    model_config = ConfigDict(extra="forbid")

    first: Instant | None = Field(None, alias="from")
    last: Instant | None = Field(None, alias="to")
    version: int | None = Field(None, ge=1, description="default: the newest version")


class VersionQuery(BaseModel):
    """Which version; by default the newest."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1)


class ResultOut(BaseModel):
    """One number of a chunk; `value` is null where it is undefined, and `reason` says why."""

    subject: str
    kind: ResultKind
    method: str
    value: float | None
    rows: int
    state: State
    reason: str | None
    expected: float | None
    lower: float | None
    upper: float | None
    alert_lower: float | None
    alert_upper: float | None
    sampling_error: float | None
    p_value: float | None
    effect: float | None

    @classmethod
    def of(cls, result: Result) -> Self:
        """Give a result as the API shows it."""
        bounds = result.bounds
        return cls(
            subject=result.subject,
            kind=result.kind,
            method=str(result.method),
            value=result.value,
            rows=result.rows,
            state=result.state,
            reason=result.reason,
            expected=bounds.expected,
            lower=bounds.lower,
            upper=bounds.upper,
            alert_lower=bounds.alert_lower,
            alert_upper=bounds.alert_upper,
            sampling_error=result.sampling_error,
            p_value=result.p_value,
            effect=result.effect,
        )


class ChunkBrief(BaseModel):
    """A chunk with its verdict; `revision` is null where nothing is stored of it."""

    start: datetime
    end: datetime
    rows: int
    labelled: int
    closed: bool
    labels_due: bool
    waiting: bool = Field(description="its content changed and the next poll computes it")
    revision: int | None
    computed_at: datetime | None
    labels_as_of: datetime | None
    verdict: State
    provisional: bool
    reasons: tuple[str, ...]
    drifted: tuple[str, ...] = Field(description="columns whose drift lasts")
    drift_seen: tuple[str, ...] = Field(description="columns that drifted in this chunk, whether it lasts or not")

    @classmethod
    def of(cls, spec: Spec, report: ChunkReport) -> "ChunkBrief":
        """Give a chunk as the API shows it, without its results."""
        stored, verdict = report.revision, report.verdict
        return ChunkBrief(
            start=report.chunk.start,
            end=report.chunk.end,
            rows=report.rows,
            labelled=report.labelled,
            closed=report.closed,
            labels_due=report.labels_due,
            waiting=report.waiting,
            revision=stored.number if stored else None,
            computed_at=stored.computed_at if stored else None,
            labels_as_of=stored.provenance.labels_as_of if stored else None,
            verdict=verdict.state,
            provisional=verdict.provisional,
            reasons=verdict.reasons,
            drifted=verdict.drifted,
            drift_seen=tuple(sorted(subjects_seen(spec, report))),
        )


class ChunkOut(ChunkBrief):
    """A chunk with its verdict and all its results."""

    results: tuple[ResultOut, ...]

    @classmethod
    def of(cls, spec: Spec, report: ChunkReport) -> "ChunkOut":
        """Give a chunk as the API shows it."""
        found = tuple(ResultOut.of(result) for result in report.results)
        return ChunkOut(**ChunkBrief.of(spec, report).model_dump(), results=found)


class AdviceOut(BaseModel):
    """What is missing, and what to do about it."""

    missing: str
    to_do: str
    urgent: bool

    @classmethod
    def of(cls, advice: Advice) -> Self:
        """Give an advice as the API shows it."""
        return cls(missing=advice.missing, to_do=advice.to_do, urgent=advice.urgent)


class ChunksOut(BaseModel):
    """Chunks of a model version, oldest first; `clock` is the model's present instant."""

    model: str
    version: int
    clock: datetime
    chunks: tuple[ChunkOut, ...]


class ModelOut(BaseModel):
    """A model, its ready versions, the newest one's reference and newest chunk, and what is missing."""

    name: str
    versions: tuple[int, ...]
    version: int
    spec_revision: int
    registered_at: datetime
    clock: datetime
    reference_rows: int
    reference_since: datetime
    reference_until: datetime
    reference_hash: str
    newest: ChunkBrief | None
    missing: tuple[AdviceOut, ...]


class ModelsOut(BaseModel):
    """The registered models; where there is none, what to do."""

    models: tuple[ModelOut, ...]
    missing: tuple[AdviceOut, ...] = ()


class VerdictOut(BaseModel):
    """A verdict as it was said."""

    sequence: int
    verdict: State
    provisional: bool
    reasons: tuple[str, ...]
    drifted: tuple[str, ...]
    derived_at: datetime


class RevisionOut(BaseModel):
    """A revision of a chunk: what produced it, its results, and the verdicts said of it, oldest first."""

    revision: int
    closed: bool
    rows: int
    labelled: int
    computed_at: datetime
    spec_revision: int
    reference_hash: str
    code_version: str
    content_hash: str
    batches: tuple[int, ...]
    labels_as_of: datetime | None
    verdicts: tuple[VerdictOut, ...]
    results: tuple[ResultOut, ...]

    @classmethod
    def of(cls, revision: Revision, found: tuple[Result, ...], verdicts: list[StoredVerdict]) -> Self:
        """Give a revision as the API shows it."""
        origin = revision.provenance
        return cls(
            revision=revision.number,
            closed=revision.closed,
            rows=revision.rows,
            labelled=revision.labelled,
            computed_at=revision.computed_at,
            spec_revision=origin.spec_revision,
            reference_hash=origin.reference_hash,
            code_version=origin.code_version,
            content_hash=revision.content_hash,
            batches=origin.batches,
            labels_as_of=origin.labels_as_of,
            verdicts=tuple(_verdict(one) for one in verdicts if one.revision == revision.number),
            results=tuple(ResultOut.of(result) for result in found),
        )


def _verdict(stored: StoredVerdict) -> VerdictOut:
    return VerdictOut(
        sequence=stored.sequence,
        verdict=stored.verdict.state,
        provisional=stored.verdict.provisional,
        reasons=stored.verdict.reasons,
        drifted=stored.verdict.drifted,
        derived_at=stored.derived_at,
    )


class RevisionsOut(BaseModel):
    """Every revision of one chunk, oldest first; the last one is current."""

    model: str
    version: int
    start: datetime
    end: datetime
    revisions: tuple[RevisionOut, ...]


class ModelPolled(BaseModel):
    """A model after a poll: the verdicts of its newest chunks, oldest first, and what is missing."""

    name: str
    version: int
    clock: datetime
    chunks: tuple[ChunkBrief, ...]
    missing: tuple[AdviceOut, ...]


class PollOut(BaseModel):
    """What a poll did: `revisions` are the closed chunks computed anew, `verdicts` those that turned."""

    message: str
    seconds: float
    batches: int
    chunks: int
    revisions: int
    verdicts: int
    failed: int
    models: tuple[ModelPolled, ...]
    missing: tuple[AdviceOut, ...] = ()
