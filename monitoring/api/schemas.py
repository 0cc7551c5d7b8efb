"""The JSON API's requests and responses, as types that /openapi.json shows."""

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from driftline.engine.results import Result, State
from driftline.errors import InvalidInput
from driftline.report.schema import ChunkOut, ResultOut
from driftline.tracking.training_runs import LINK
from driftline.validation_faults import fault_text
from monitoring.api import chunk_examples
from monitoring.poll.results.revisions import Revision
from monitoring.poll.results.verdicts import StoredVerdict
from monitoring.report.advice import Advice
from monitoring.service import ChunkLineage
from monitoring.text_lists import AsList

INSTANT: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}


def _require_text(value: object) -> object:
    """Reject text that is only a number: pydantic would read it as seconds since 1970."""
    if isinstance(value, str) and not ISO_8601.match(value):
        raise ValueError("must be an instant such as 2026-01-31 or 2026-01-31T00:00:00Z")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the calendar's end") from None


ISO_8601 = re.compile(r"\d{4}-\d{2}-\d{2}")
Instant = Annotated[datetime, BeforeValidator(_require_text), AfterValidator(_in_utc), WithJsonSchema(INSTANT)]
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


def parse_instant(text: str) -> datetime:
    """Return the instant in a path; raise `InvalidInput` for a text that is not one."""
    try:
        return _instant.validate_python(text)
    except ValidationError as error:
        raise InvalidInput(f"{text!r} is not an instant; write it as 2026-01-31 or 2026-01-31T00:00:00Z.") from error


"""An ISO 8601 instant or date; without an offset it is UTC."""


def _day_or_instant(value: object) -> date:
    try:
        is_date = isinstance(value, str) and ISO_8601.fullmatch(value)
        return date.fromisoformat(str(value)) if is_date else _instant.validate_python(value)
    except ValidationError as error:
        raise ValueError(fault_text(error.errors()[0])) from error


DayOrInstant = Annotated[date, PlainValidator(_day_or_instant), WithJsonSchema(INSTANT)]
"""An end of a range of chunks: a date is the whole day of the model's calendar, an instant without an offset is UTC."""


Texts = Annotated[list[str], AsList]
"""A parameter that a query may have several times."""


class ChunkQuery(BaseModel):
    """The chunks that start from `from` to `to`, both included; by default the newest 60."""

    model_config = ConfigDict(extra="forbid")

    first: DayOrInstant | None = Field(None, alias="from")
    last: DayOrInstant | None = Field(None, alias="to")
    version: int | None = Field(None, ge=1, description="default: the champion, or else the newest")


class VersionQuery(BaseModel):
    """The model version; by default the newest."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1)


class LineageQuery(VersionQuery):
    """The model version, and which revision of the chunk; by default the newest."""

    revision: int | None = Field(None, ge=1)


class AdviceOut(BaseModel):
    """What is missing, and what to do about it."""

    missing: str
    to_do: str
    urgent: bool

    @classmethod
    def of(cls, advice: Advice) -> Self:
        """Return the JSON object of an advice."""
        return cls(missing=advice.missing, to_do=advice.to_do, urgent=advice.urgent)


class ChunksOut(BaseModel):
    """Chunks of a model version, oldest first; `clock` is the model clock's time."""

    model_config = ConfigDict(json_schema_extra={"example": chunk_examples.CHUNKS})

    model: str
    version: int
    clock: datetime
    chunks: tuple[ChunkOut, ...]
    missing: tuple[AdviceOut, ...] = Field(description="what these chunks lack, and what to do about it")


class VerdictOut(BaseModel):
    """A stored verdict: its position among the verdicts of its revision, and when it was derived."""

    sequence: int
    verdict: State
    provisional: bool
    reasons: tuple[str, ...]
    drifted: tuple[str, ...]
    derived_at: datetime


class RevisionOut(BaseModel):
    """A revision of a chunk: its provenance, its results and its verdicts, oldest first."""

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
    def of(cls, revision: Revision, results: tuple[Result, ...], verdicts: list[StoredVerdict]) -> Self:
        """Return the JSON object of a revision."""
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
            verdicts=tuple(_verdict(stored) for stored in verdicts if stored.revision == revision.number),
            results=tuple(ResultOut.of(result) for result in results),
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

    model_config = ConfigDict(json_schema_extra={"example": chunk_examples.REVISIONS})

    model: str
    version: int
    start: datetime
    end: datetime
    revisions: tuple[RevisionOut, ...]


class BatchOut(BaseModel):
    """A batch that a chunk was computed from; `rows_in_chunk` counts its predictions in the chunk."""

    number: int
    batch_id: str
    kind: str
    rows: int
    rows_in_chunk: int
    written_at: datetime
    caller: str | None
    format: str | None
    content_hash: str


class LineageOut(BaseModel):
    """Where the numbers of a chunk revision come from: its batches, the model, the reference, the spec and the code."""

    model_config = ConfigDict(json_schema_extra={"example": chunk_examples.LINEAGE})

    model: str
    version: int
    start: datetime
    end: datetime
    revision: int
    computed_at: datetime
    code_version: str
    spec_revision: int
    reference_hash: str
    reference_uri: str
    artifact_uri: str | None
    training_run: dict[str, str] | None
    content_hash: str
    labels_as_of: datetime | None
    batches: tuple[BatchOut, ...]

    @classmethod
    def of(cls, lineage: ChunkLineage) -> Self:
        """Return the JSON object of a lineage."""
        version, revision, origin = lineage.version, lineage.revision, lineage.revision.provenance
        return cls(
            model=version.name,
            version=version.number,
            start=revision.chunk.start,
            end=revision.chunk.end,
            revision=revision.number,
            computed_at=revision.computed_at,
            code_version=origin.code_version,
            spec_revision=origin.spec_revision,
            reference_hash=origin.reference_hash,
            reference_uri=version.reference_uri,
            artifact_uri=version.artifact_uri,
            training_run=version.details.get(LINK),
            content_hash=revision.content_hash,
            labels_as_of=origin.labels_as_of,
            batches=tuple(BatchOut(**asdict(batch)) for batch in lineage.batches),
        )
