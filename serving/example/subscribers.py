"""The stored features of a subscriber: the prepared row of a day, by default of the newest."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, Engine, func, select

from churn.columns import CHURN_MODEL, FEATURES, TRAILING_DAYS, Processed
from churn.tables import processed
from driftline.errors import InvalidInput, NotFound
from driftline.store.database import translated
from serving.predictor import StoredRow

DAY, USER = processed.c[Processed.DATE], processed.c[Processed.USER]


class StoredSubscribers:
    """Finds the prepared rows of subscribers; one connection of the engine for each call."""

    def __init__(self, engine: Engine) -> None:
        """Store the engine; nothing is connected."""
        self._engine = engine

    def __call__(self, model: str, subscriber: str, at: datetime | None) -> StoredRow:
        """Return the features of a subscriber on the day of `at`, or on the newest day of the last week.

        Raises:
            InvalidInput: another model than the example's. NotFound: nothing is prepared for that subscriber and day.
            DatabaseUnavailable: the server is away.
        """
        if model != CHURN_MODEL:
            raise InvalidInput(f"Only the model {CHURN_MODEL!r} has stored subscribers; send `features` for {model!r}.")
        with translated(), self._engine.connect() as connection:
            day = at.astimezone(UTC).date() if at else None
            row = self._row(connection, subscriber, day)
        if row is None:
            raise NotFound(
                f"Nothing is prepared for subscriber {subscriber!r:.40} "
                f"{f'on {day}' if day else f'on the last {TRAILING_DAYS} days'}; prepare the day with `python "
                "pyspark/prepare_data.py`, name another one by `at`, or send `features`."
            )
        return row

    def _row(self, connection: Connection, subscriber: str, day: date | None) -> StoredRow | None:
        """Return the row of a day, or the newest of the last days; None without one."""
        last = day or connection.execute(select(func.max(DAY))).scalar()
        if last is None:
            return None
        first = day or last - timedelta(days=TRAILING_DAYS - 1)
        statement = (
            select(DAY, *(processed.c[name] for name in FEATURES))
            .where(USER.in_((subscriber,)), DAY.between(first, last))
            .order_by(DAY.desc())
            .limit(1)
        )
        row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        instant = datetime.combine(row[Processed.DATE], time(), UTC)
        return StoredRow({name: row[name] for name in FEATURES}, instant)
