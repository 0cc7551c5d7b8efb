"""The stored features of a subject, such as a customer: the row of a day of a table, by default of the newest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, RowMapping, Table, func, select
from sqlalchemy.exc import NoSuchTableError

from driftline.errors import InvalidInput, NotFound, Unavailable
from driftline.store.database import translated
from serving.settings import StoredRowsSettings


class NoStoredRows(Unavailable):
    """The table of stored rows cannot be used; correct the settings SERVING_ROWS_*."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """The stored features of a subject, and the instant that they are of."""

    features: dict[str, Any]
    at: datetime


class StoredFeatures:
    """Finds the rows of subjects in the table of the settings; one connection of the engine for each call."""

    def __init__(self, engine: Engine, settings: StoredRowsSettings, table: str) -> None:
        """Store the engine and the settings; nothing is connected."""
        self._engine, self._settings, self._name = engine, settings, table
        self._table: Table | None = None

    @property
    def field(self) -> str:
        """The field of a request that names the subject."""
        return self._settings.field

    def find(self, features: Sequence[str], subject: str, at: datetime | None) -> StoredRow:
        """Return the features of a subject on the day of `at`, or on the newest of the last days of the table.

        Raises:
            InvalidInput: the table lacks some of the features. NotFound: it has no row of that subject and day.
            NoStoredRows: there is no such table, or it lacks a column of the settings.
            DatabaseUnavailable: the server is away.
        """
        day = at.astimezone(UTC).date() if at else None
        with translated(), self._engine.connect() as connection:
            table = self._table_with(connection, features)
            row = self._row(connection, table, features, subject, day)
        if row is None:
            days = f"on {day}" if day else f"on the last {self._settings.days} days"
            raise NotFound(
                f"{self._name} has no row of {self.field} {subject!r:.40} {days}; "
                "store one, name another day by `at`, or send `features`."
            )
        instant = datetime.combine(row[self._settings.day], time(), UTC)
        return StoredRow({name: row[name] for name in features}, instant)

    def _table_with(self, connection: Connection, features: Sequence[str]) -> Table:
        """Return the table, which is described again where columns are missing, since they may have been added."""
        if self._table is None or any(name not in self._table.c for name in features):
            self._table = self._describe(connection)
        if missing := [name for name in features if name not in self._table.c]:
            raise InvalidInput(
                f"The stored rows ({self._name}) lack features of the model: {', '.join(missing)}; send `features`."
            )
        return self._table

    def _describe(self, connection: Connection) -> Table:
        """Return the table with its columns; raise NoStoredRows without it, or without those that the settings name."""
        try:
            table = Table(
                self._name, MetaData(), autoload_with=connection, listeners=[("column_reflect", _read_as_float)]
            )
        except NoSuchTableError as error:
            raise NoStoredRows(f"There is no table {self._name!r}; correct SERVING_ROWS_TABLE, or unset it.") from error
        missing = [name for name in (self._settings.subject, self._settings.day) if name not in table.c]
        if missing:
            raise NoStoredRows(
                f"Table {self._name!r} has no column {', '.join(missing)}; correct SERVING_ROWS_SUBJECT and "
                f"SERVING_ROWS_DAY. Available: {', '.join(table.c.keys())}."
            )
        return table

    def _row(
        self, connection: Connection, table: Table, features: Sequence[str], subject: str, day: date | None
    ) -> RowMapping | None:
        """Return the row of a day, or the newest of the last days; None without one."""
        days, subjects = table.c[self._settings.day], table.c[self._settings.subject]
        last = day or connection.execute(select(func.max(days))).scalar()
        if last is None:
            return None
        first = day or last - timedelta(days=self._settings.days - 1)
        statement = (
            select(days, *(table.c[name] for name in features))
            .where(subjects.in_((subject,)), days.between(first, last))
            .order_by(days.desc())
            .limit(1)
        )
        return connection.execute(statement).mappings().first()


def _read_as_float(_inspector: Any, _table: Any, column: Any) -> None:
    """Read a number as it is stored; by default a described column gives a decimal, rounded to ten places."""
    if getattr(column["type"], "asdecimal", False):
        column["type"].asdecimal = False
