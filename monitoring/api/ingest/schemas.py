"""The requests and responses of ingestion, as types that /openapi.json shows."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.ingest.ingestion import Receipt
from driftline.store.ledger import BatchKind
from driftline.store.sources.ingest_log import IngestEntry, IngestState, LogFilter
from monitoring.api.schemas import Instant, Texts

MOST_ENTRIES = 1_000
_LOG: dict[str, Any] = {
    "model": "churn",
    "entries": [
        {
            "number": 812,
            "received_at": "2026-05-12T08:15:02Z",
            "kind": "predictions",
            "state": "refused",
            "batch": None,
            "caller": "scoring",
            "format": "application/json",
            "bytes": 21_480,
            "rows": None,
            "new": None,
            "same": None,
            "changed": None,
            "reason": "Column 'amount' has 1 value that is not a number ('ERR', row 12); clean it.",
        }
    ],
}


class IngestQuery(BaseModel):
    """The version of the rows, and further words for a missing value."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, le=2**31 - 1, description="default: the champion, or else the newest")
    na_values: Texts = Field(
        default_factory=list, max_length=100, description="words that stand for a missing value, beside the usual ones"
    )


class PredictionsStored(BaseModel):
    """A stored batch of predictions: how many were new, and how many were stored already."""

    model_config = ConfigDict(json_schema_extra={"example": {"batch": "http/9c1e", "rows": 500, "new": 498, "same": 2}})

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

    model_config = ConfigDict(
        json_schema_extra={"example": {"batch": "http/77ab", "rows": 500, "new": 490, "same": 8, "revised": 2}}
    )

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

    model_config = ConfigDict(
        json_schema_extra={"example": {"batch": "http/03fd", "rows": 3, "same": 1, "corrected": 2}}
    )

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

    model_config = ConfigDict(json_schema_extra={"example": {"batch": "http/e81a", "deleted": 12}})

    batch: str
    deleted: int

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the JSON object of a receipt."""
        return cls(batch=receipt.batch, deleted=receipt.changed)


class IngestLogQuery(BaseModel):
    """Which entries of the log: the newest, or those before the number of an entry; by default all."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(100, ge=1, le=MOST_ENTRIES)
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="the last number of the page before")
    state: IngestState | None = None
    kind: BatchKind | None = None
    since: Instant | None = Field(None, alias="from", description="the first instant of arrival")
    until: Instant | None = Field(None, alias="to", description="the instant of arrival at which the list ends")

    def filter(self) -> LogFilter:
        """Return the requested entries."""
        return LogFilter(self.state, self.kind, self.since, self.until, self.before)


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

    model_config = ConfigDict(json_schema_extra={"example": _LOG})

    model: str
    entries: tuple[LogEntryOut, ...]
