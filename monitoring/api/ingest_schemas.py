"""The requests and responses of ingestion, as types that /openapi.json shows."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.ingest.ingestion import Receipt
from driftline.store.ingest_log import IngestEntry, IngestState
from monitoring.api.schemas import Texts

MOST_ENTRIES = 1_000


class IngestQuery(BaseModel):
    """The version of the rows, and further words for a missing value."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, le=2**31 - 1, description="default: the newest version")
    na_values: Texts = Field(
        default_factory=list, max_length=100, description="words that stand for a missing value, beside the usual ones"
    )


class PredictionsStored(BaseModel):
    """A stored batch of predictions: how many were new, and how many were stored already."""

    batch: str
    rows: int
    new: int
    same: int

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the JSON object of a receipt."""
        return cls(batch=receipt.batch, rows=receipt.rows, new=receipt.new, same=receipt.same)


class LabelsStored(BaseModel):
    """A stored batch of labels: how many were new, stored already, and revised."""

    batch: str
    rows: int
    new: int
    same: int
    revised: int

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the JSON object of a receipt."""
        return cls(batch=receipt.batch, rows=receipt.rows, new=receipt.new, same=receipt.same, revised=receipt.changed)


class CorrectionsStored(BaseModel):
    """A stored batch of corrections: how many predictions it changed, and how many had that content already."""

    batch: str
    rows: int
    same: int
    corrected: int

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the JSON object of a receipt."""
        return cls(batch=receipt.batch, rows=receipt.rows, same=receipt.same, corrected=receipt.changed)


class DeletionsStored(BaseModel):
    """A deletion: how many rows it erased; none where there was nothing left of them."""

    batch: str
    deleted: int

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the JSON object of a receipt."""
        return cls(batch=receipt.batch, deleted=receipt.changed)


class IngestLogQuery(BaseModel):
    """Which entries of the log: the newest, or those before the number of an entry; by default of any state."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(100, ge=1, le=MOST_ENTRIES)
    before: int | None = Field(None, ge=1, le=2**63 - 1)
    state: IngestState | None = None


class LogEntryOut(BaseModel):
    """What came: when, as what and by whom, its rows, and why it was refused if it was."""

    number: int
    received_at: datetime
    kind: str
    state: IngestState
    batch: str | None
    caller: str | None
    format: str
    bytes: int
    rows: int | None
    new: int | None
    same: int | None
    changed: int | None
    reason: str | None

    @classmethod
    def of(cls, number: int, entry: IngestEntry) -> Self:
        """Return the JSON object of an entry."""
        return cls(
            number=number,
            received_at=entry.received_at,
            kind=entry.kind,
            state=entry.state,
            batch=entry.batch_id,
            caller=entry.caller,
            format=entry.format,
            bytes=entry.body_bytes,
            rows=entry.rows_sent,
            new=entry.rows_new,
            same=entry.rows_same,
            changed=entry.rows_changed,
            reason=entry.reason,
        )


class IngestLogOut(BaseModel):
    """Entries of a model's ingest log, newest first."""

    model: str
    entries: tuple[LogEntryOut, ...]
