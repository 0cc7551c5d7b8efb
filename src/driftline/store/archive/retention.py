"""The retention of a model: after how many days its rows are archived, and removed from the archive."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, select, update

from driftline.errors import InvalidInput
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import model_number
from driftline.store.tables import models

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Retention:
    """After how many days rows are archived and removed; None is never.

    The days are counted from when the model's clock passes the closing of a chunk and the deadline of its labels.
    """

    archive_after_days: int | None = None
    remove_after_days: int | None = None

    def __post_init__(self) -> None:
        """Reject impossible numbers of days.

        Raises:
            InvalidInput: rows would be removed before they are archived, or a number is out of range.
        """
        archive, remove = self.archive_after_days, self.remove_after_days
        if any(days is not None and not 0 <= days <= MOST_DAYS for days in (archive, remove)):
            raise InvalidInput(f"A retention is 0 to {MOST_DAYS:,} days; correct {archive} or {remove}.")
        if remove is not None and (archive is None or remove < archive):
            raise InvalidInput(
                f"Rows are removed after {remove} days from the archive only, and they are archived "
                f"{'never' if archive is None else f'after {archive} days'}; set both, the first not below the second."
            )

    @property
    def archive_after(self) -> timedelta | None:
        """The time until rows are archived."""
        return None if self.archive_after_days is None else timedelta(days=self.archive_after_days)

    @property
    def remove_after(self) -> timedelta | None:
        """The time until archived rows are removed."""
        return None if self.remove_after_days is None else timedelta(days=self.remove_after_days)


def retention_of(engine: Engine, name: str) -> Retention:
    """Return the retention of a model.

    Raises:
        NotFound: no such model.
    """
    days = (models.c.archive_after_days, models.c.remove_after_days)
    with translated(), engine.connect() as connection:
        number = model_number(connection, name)
        return Retention(*connection.execute(select(*days).where(models.c.number == number)).one())


def set_retention(engine: Engine, name: str, retention: Retention) -> None:
    """Set the retention of a model, for all its versions.

    Raises:
        NotFound: no such model.
    """

    def work(connection: Connection) -> None:
        number = model_number(connection, name)
        connection.execute(
            update(models)
            .where(models.c.number == number)
            .values(archive_after_days=retention.archive_after_days, remove_after_days=retention.remove_after_days)
        )

    in_transaction(engine, work)
