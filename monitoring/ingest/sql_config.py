"""The file that describes tables and queries to read predictions and labels from. No I/O here, but for `read_file`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from driftline.errors import InvalidInput
from driftline.validation_faults import raise_contradictions, validation_faults
from driftline.yaml_file import read_yaml
from monitoring.text_lists import AsList
from monitoring.zones import AsZone


class Contents(StrEnum):
    """What a row of a table is: a prediction, a label, or both, where the label is NULL until it is known."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    BOTH = "both"


Name = Annotated[str, Field(min_length=1)]


class SqlSourceConfig(BaseModel):
    """A table or a query, and how its rows become those of a model.

    `key` names the columns of the id, `time` that of the event time (in a table of labels: since when a label is
    known), `updated_at` that of the last change of a row. `columns` has by column of the model's reference the column
    here, where the names differ. `time_zone` is that of DATETIME columns, by default the model's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
    model: Name
    version: int | None = Field(None, ge=1)
    table: Name | None = None
    query: Name | None = None
    rows: Contents = Contents.PREDICTIONS
    key: Annotated[tuple[Name, ...], AsList, Field(min_length=1)]
    time: Name | None = None
    updated_at: Name | None = None
    known_at: Name | None = None
    columns: dict[str, Name] = Field(default_factory=dict)
    time_zone: Annotated[ZoneInfo | None, AsZone] = None
    na_values: tuple[str, ...] = ()
    overlap_minutes: float | None = Field(None, ge=0, le=100_000)
    batch_rows: int = Field(5_000, ge=1, le=50_000)
    timeout_seconds: int = Field(60, ge=1, le=86_400)

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Check that the source names what its kind of rows needs."""
        raise_contradictions(type(self).__name__, self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        """Yield what the source lacks for its kind of rows, or names twice."""
        if (self.table is None) is (self.query is None):
            yield "name either a table or a query"
        if self.rows is not Contents.LABELS and self.time is None:
            yield "name the column of the event time as time"
        if self.rows is Contents.BOTH and self.updated_at is None:
            yield (
                "rows of both predictions and labels need the column updated_at: without it, labels that become known "
                "later are not seen"
            )
        if self.rows is Contents.LABELS and not self.position:
            yield "name a column as time or as updated_at, in the order of which rows are read"

    @property
    def position(self) -> str:
        """The column in the order of which rows are read."""
        return self.updated_at or self.time or ""

    @property
    def known_since(self) -> str:
        """The column that says since when a label is known."""
        return self.known_at or self.position


class _SourcesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: list[SqlSourceConfig] = Field(min_length=1)


def read_file(path: Path) -> tuple[SqlSourceConfig, ...]:
    """Return the sources that a YAML file describes.

    Raises:
        InvalidInput: it cannot be read, or with every fault of its fields.
    """
    return sources_of(read_yaml(path, str(path)), str(path))


def sources_of(content: object, name: str) -> tuple[SqlSourceConfig, ...]:
    """Return the sources of a file's content; `name` is the file's in messages."""
    try:
        sources = _SourcesFile.model_validate(content).sources
    except ValidationError as error:
        faults = tuple(validation_faults(error, document="the file"))
        raise InvalidInput(f"{name} is not valid; correct it.", details=faults) from None
    names = [source.name for source in sources]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"{name} has several sources of the name {repeated[0]!r}; give each a name of its own.")
    return tuple(sources)
