"""The parameters of the pages' addresses; a form sends fields that were left empty, which count as absent."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from driftline.engine.results import State
from monitoring.api.schemas import Instant
from monitoring.report.overview import OverviewFilter


def _absent(value: Any) -> Any:
    return None if value == "" else value


OptionalText = Annotated[str | None, BeforeValidator(_absent)]


class OverviewQuery(BaseModel):
    """Which models the overview shows: a part of the name, a state, and the page."""

    model_config = ConfigDict(extra="forbid")

    q: OptionalText = Field(None, max_length=64)
    state: Annotated[State | None, BeforeValidator(_absent)] = None
    page: int = Field(1, ge=1, le=10**6)

    def filter(self) -> OverviewFilter:
        """Return the filter of the overview."""
        return OverviewFilter(self.q and self.q.strip(), self.state)


class ModelQuery(BaseModel):
    """What the page of a model shows: chunks that start from `from` to `to`, both included, and a segment."""

    model_config = ConfigDict(extra="forbid")

    first: Annotated[Instant | None, BeforeValidator(_absent)] = Field(None, alias="from")
    last: Annotated[Instant | None, BeforeValidator(_absent)] = Field(None, alias="to")
    version: int | None = Field(None, ge=1)
    segment: OptionalText = None


class ColumnQuery(BaseModel):
    """Which column, in the chunk that contains which instant, of which version (by default the newest)."""

    model_config = ConfigDict(extra="forbid")

    column: str
    chunk: Instant
    version: int | None = Field(None, ge=1)
