"""Rows of a user's table as those of a model: names, types, ids, and which of them changed. No I/O here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import yaml
from pymysql.constants import FIELD_TYPE

from driftline.engine.results import EVENT_TIME, ID
from driftline.errors import InvalidInput
from driftline.ingest.ingestion import Sent
from driftline.ingest.rows.content import Content, Format
from driftline.ingest.rows.label_rows import label_columns
from driftline.ingest.rows.layouts import KNOWN_AT, IngestLayout
from driftline.ingest.rows.prediction_rows import columns_read
from driftline.store.ledger import BatchKind
from monitoring.ingest.sql_config import Contents, SqlSourceConfig

MOST_REMEMBERED = 250_000
"""How many rows a process remembers as handled, for each kind: some 40 MB. The ledger ignores the others."""
KEY_SEPARATOR = "/"
OVERLAP, OVERLAP_OF_DATES = timedelta(minutes=10), timedelta(days=2)
"""How long before the newest position rows are read again, by default: of a column of times, and of one of dates."""
VALUE_BYTES = 8


def file_option(name: str, value: Any = None, /) -> str:
    """Return an option as a line of the file of sources, such as `na_values: [ERR]`."""
    return f"{name}: ..." if value is None else f"{name}: {yaml.safe_dump(value, default_flow_style=True).strip()}"


Columns = dict[BatchKind, dict[str, str]]
"""By kind of rows the column of the table for each column of the model's layout, apart from that of the ids."""


def columns_of(config: SqlSourceConfig, layout: IngestLayout, available: Sequence[str]) -> Columns:
    """Return which columns are read; `available` are those of the table. A column that the table lacks is left out.

    Raises:
        InvalidInput: the file names a column that the table or the model does not have.
    """
    named = {*config.key, *config.columns.values(), *filter(None, (config.time, config.updated_at, config.known_at))}
    if absent := sorted(named - {*available}):
        raise InvalidInput(
            f"Source {config.name!r}: there is no column {', '.join(absent)}. Available: {', '.join(available)}."
        )
    event_time, label = layout.sources[EVENT_TIME], label_columns(layout)[1]
    outputs = [name for name in columns_read(layout) if name not in (layout.sources[ID], event_time)]
    if unknown := sorted({*config.columns} - {*outputs, label}):
        raise InvalidInput(
            f"Source {config.name!r}: the model has no column {', '.join(unknown)}. Available: "
            f"{', '.join((*outputs, label))}."
        )
    sources = {name: config.columns.get(name, name) for name in (*outputs, label)}
    columns: Columns = {}
    if config.rows is not Contents.LABELS:
        present = {name: sources[name] for name in outputs if sources[name] in available}
        columns[BatchKind.PREDICTIONS] = {event_time: config.time or "", **present}
    if config.rows is not Contents.PREDICTIONS:
        if sources[label] not in available:
            raise InvalidInput(
                f"Source {config.name!r}: there is no column {sources[label]} with the labels; name it, as in "
                f"`columns: {{{label}: ...}}`. Available: {', '.join(available)}."
            )
        columns[BatchKind.LABELS] = {label: sources[label], KNOWN_AT: config.known_since}
    return columns


@dataclass(frozen=True)
class RowReader:
    """Makes frames of the rows of a table; `types` has the driver's number of each column's type."""

    config: SqlSourceConfig
    layout: IngestLayout
    types: Mapping[str, int]
    columns: Mapping[BatchKind, Mapping[str, str]] = field(init=False)
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Map the columns; raise InvalidInput where one does not exist."""
        columns = columns_of(self.config, self.layout, [*self.types])
        object.__setattr__(self, "columns", columns)
        names = (name for of_kind in columns.values() for name in of_kind.values())
        object.__setattr__(self, "names", tuple(dict.fromkeys((*self.config.key, *names))))

    @property
    def position_zone(self) -> ZoneInfo:
        """The zone of the column that orders the rows."""
        if self.types[self.config.position] == FIELD_TYPE.TIMESTAMP:
            return ZoneInfo("UTC")
        return self.config.time_zone or self.layout.spec.zone

    @property
    def overlap(self) -> timedelta:
        """How long before the newest position rows are read again."""
        minutes = self.config.overlap_minutes
        if minutes is None:
            is_date = self.types[self.config.position] in (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE)
            return OVERLAP_OF_DATES if is_date else OVERLAP
        return timedelta(minutes=minutes)

    def groups(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[BatchKind, "SqlRows"]]:
        """Yield the rows of each kind that is in a page; a row whose label is NULL is not a label."""
        page = dict(zip(self.names, zip(*rows, strict=True), strict=True)) if rows else {}
        for kind, columns in self.columns.items():
            if not page:
                return
            yield kind, self._rows(kind, columns, page)

    def _rows(self, kind: BatchKind, columns: Mapping[str, str], page: Mapping[str, Sequence[Any]]) -> "SqlRows":
        frame = {self.layout.sources[ID]: _ids([page[name] for name in self.config.key])}
        frame |= {name: self._values(column_name, page[column_name]) for name, column_name in columns.items()}
        rows = SqlRows(self.config, pd.DataFrame({name: _objects(values) for name, values in frame.items()}))
        if kind is BatchKind.LABELS:
            return rows.only(rows.frame[label_columns(self.layout)[1]].notna().tolist())
        return rows

    def _values(self, name: str, values: Sequence[Any]) -> list[Any]:
        """Return the values of a column; times get the zone of the column's type or of the file, if there is one."""
        kind = self.types[name]
        if kind == FIELD_TYPE.BIT:
            return [None if value is None else int.from_bytes(value, "big") for value in values]
        zone = ZoneInfo("UTC") if kind == FIELD_TYPE.TIMESTAMP else self.config.time_zone
        if zone is None or kind not in (FIELD_TYPE.TIMESTAMP, FIELD_TYPE.DATETIME):
            return [*values]
        return [_in_utc(value, zone) if isinstance(value, datetime) else value for value in values]


def _objects(values: Sequence[Any]) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object)


def _in_utc(value: datetime, zone: ZoneInfo) -> datetime:
    return value.replace(tzinfo=zone).astimezone(UTC)


def _ids(columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the ids: the key itself, or the values of several columns, joined; None where one is missing."""
    if len(columns) == 1:
        return [*columns[0]]
    return [None if None in values else KEY_SEPARATOR.join(map(str, values)) for values in zip(*columns, strict=True)]


@dataclass(frozen=True)
class SqlRows:
    """Rows of one kind in the layout of the model's reference."""

    config: SqlSourceConfig
    frame: pd.DataFrame

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.frame)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.config.model

    @property
    def sent(self) -> Sent:
        """The batch of the rows, named by its content."""
        frame = self.frame.copy(deep=False)  # what is ingested may replace its index
        content = Content(b"", Format.ARROW, VALUE_BYTES * frame.size, frame)
        caller = f"sql/{self.config.name}"
        return Sent(content, None, self.config.version, self.config.na_values, caller, file_option)

    @property
    def keys(self) -> list[str]:
        """The ids as text, for messages."""
        return [str(value) for value in self.frame.iloc[:, 0]]

    @property
    def digests(self) -> list[tuple[int, int]]:
        """For each row a hash of its id and one of all its values."""
        return [(_digest(row[0]), _digest(row)) for row in self.frame.itertuples(index=False, name=None)]

    def only(self, mask: Sequence[bool]) -> "SqlRows":
        """Return some of the rows."""
        return SqlRows(self.config, self.frame[[*mask]].reset_index(drop=True)) if not all(mask) else self

    def halves(self) -> tuple["SqlRows", "SqlRows"]:
        """Return the first and the second half of at least two rows."""
        middle = len(self) // 2
        parts = self.frame.iloc[:middle], self.frame.iloc[middle:]
        first, second = (SqlRows(self.config, part.reset_index(drop=True)) for part in parts)
        return first, second

    def parts(self, faulty: Collection[int]) -> Sequence["SqlRows"]:
        """Return the rows that are `faulty`, by their numbers from 1, each alone, and the others together.

        Where none is, or all are, the parts are halves of at least two rows.
        """
        valid = [number not in faulty for number in range(1, len(self) + 1)]
        if all(valid) or not any(valid):
            return self.halves()
        numbers = sorted(faulty)
        alone = (SqlRows(self.config, self.frame.iloc[[number - 1]].reset_index(drop=True)) for number in numbers)
        return self.only(valid), *alone


def _digest(value: object) -> int:
    return int.from_bytes(blake2b(repr(value).encode(errors="surrogatepass"), digest_size=VALUE_BYTES).digest(), "big")


class HandledRows:
    """Remembers the rows that were stored or refused last, so that those of the overlap are not sent again."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """Remember at most so many rows; the oldest are forgotten first."""
        self._most = most
        self._values: dict[int, int] = {}

    def changed(self, rows: SqlRows) -> SqlRows:
        """Return the rows that are not remembered with the same values."""
        return rows.only([self._values.get(key) != value for key, value in rows.digests])

    def add(self, rows: SqlRows) -> None:
        """Remember rows."""
        for key, value in rows.digests:
            self._values.pop(key, None)
            self._values[key] = value
        while len(self._values) > self._most:
            del self._values[next(iter(self._values))]
