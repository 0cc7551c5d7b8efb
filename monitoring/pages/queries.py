"""The parameters of the pages' addresses; a form sends fields that were left empty, which count as absent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.results import State
from driftline.store.sources.ingest_log import IngestState, LogFilter
from driftline.store.versions.owners import LONGEST_OWNER
from monitoring.alerts.delivery_store import DeliveryState
from monitoring.api.schemas import DayOrInstant, Instant
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.silences import LONGEST_REASON, LONGEST_SILENCE
from monitoring.pages.form_values import EMPTY_IS_ABSENT, OptionalText
from monitoring.report.overview import OverviewFilter


class OverviewQuery(BaseModel):
    """Which models the overview shows: a part of the name, a state, an owner, and the page."""

    model_config = ConfigDict(extra="forbid")

    q: OptionalText = Field(None, max_length=64)
    state: Annotated[State | None, EMPTY_IS_ABSENT] = None
    owner: OptionalText = Field(None, max_length=LONGEST_OWNER)
    page: int = Field(1, ge=1, le=10**6)

    def filter(self) -> OverviewFilter:
        """Return the filter of the overview."""
        return OverviewFilter(self.q and self.q.strip(), self.state, self.owner)


class ModelQuery(BaseModel):
    """What the page of a model shows: chunks that start from `from` to `to`, both included, and a segment."""

    model_config = ConfigDict(extra="forbid")

    first: Annotated[DayOrInstant | None, EMPTY_IS_ABSENT] = Field(None, alias="from")
    last: Annotated[DayOrInstant | None, EMPTY_IS_ABSENT] = Field(None, alias="to")
    version: int | None = Field(None, ge=1)
    segment: OptionalText = None


class CompareQuery(BaseModel):
    """Which two versions are compared, by default the newest and the one before, in chunks from `from` to `to`."""

    model_config = ConfigDict(extra="forbid")

    first: int | None = Field(None, ge=1, le=2**31 - 1)
    second: int | None = Field(None, ge=1, le=2**31 - 1)
    since: Annotated[DayOrInstant | None, EMPTY_IS_ABSENT] = Field(None, alias="from")
    until: Annotated[DayOrInstant | None, EMPTY_IS_ABSENT] = Field(None, alias="to")

    def versions(self, ready: Sequence[int]) -> tuple[int, int] | None:
        """Return the versions to compare, of those that are ready, the oldest first; None where there is one only."""
        second = self.second or next((number for number in reversed(ready) if number != self.first), ready[-1])
        first = self.first or next((number for number in reversed(ready) if number != second), second)
        return None if first == second else (first, second)


class ColumnQuery(BaseModel):
    """Which column, in the chunk that contains which instant, of which version (by default the newest)."""

    model_config = ConfigDict(extra="forbid")

    column: str
    chunk: Instant
    version: int | None = Field(None, ge=1)


class IncidentsPageQuery(BaseModel):
    """Which incidents the list has: of a model, in a state, with numbers below one."""

    model_config = ConfigDict(extra="forbid")

    model: OptionalText = None
    state: Annotated[IncidentState | None, EMPTY_IS_ABSENT] = None
    before: int | None = Field(None, ge=1, le=2**63 - 1)


class CommentForm(BaseModel):
    """A comment that was written on a page; the name counts where no token tells who it is."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=2_000)
    author: OptionalText = Field(None, max_length=64)


class UploadForm(BaseModel):
    """The form of an upload: the name of the model and its owner."""

    model_config = ConfigDict(extra="ignore")  # the file is read from the request

    name: str = Field(min_length=1, max_length=64)
    owner: OptionalText = Field(None, max_length=LONGEST_OWNER)


class AssignmentForm(BaseModel):
    """Who works on an incident; an empty name is nobody."""

    model_config = ConfigDict(extra="forbid")

    to: OptionalText = Field(None, max_length=64)
    author: OptionalText = Field(None, max_length=64)


class SilenceForm(BaseModel):
    """For how many hours no alert about an incident is sent, and why."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(ge=1, le=LONGEST_SILENCE // timedelta(hours=1))
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    author: OptionalText = Field(None, max_length=64)


class AlertsPageQuery(BaseModel):
    """Which deliveries the page has: of a channel, in a state, with numbers below one."""

    model_config = ConfigDict(extra="forbid")

    channel: OptionalText = None
    state: Annotated[DeliveryState | None, EMPTY_IS_ABSENT] = None
    before: int | None = Field(None, ge=1, le=2**63 - 1)


class VersionPageQuery(BaseModel):
    """The model version that a page is about; by default the newest."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1)


class HistoryQuery(VersionPageQuery):
    """Which revision of a chunk's history has its lineage shown; by default the newest."""

    revision: int | None = Field(None, ge=1)


class VersionsPageQuery(VersionPageQuery):
    """The model version that the heading names, and retrainings with positions below one."""

    before: int | None = Field(None, ge=1, le=2**31 - 1)


class IngestPageQuery(BaseModel):
    """Which entries of the ingest log: in a state, with numbers below one."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[IngestState | None, EMPTY_IS_ABSENT] = None
    before: int | None = Field(None, ge=1, le=2**63 - 1)

    def filter(self) -> LogFilter:
        """Return the filter of the log."""
        return LogFilter(self.state, before=self.before)
