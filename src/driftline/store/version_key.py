"""The key of a model version in the tables. No I/O here."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_


@dataclass(frozen=True, slots=True)
class VersionKey:
    """Identifies a model version in every table: the model's number and the version within the model."""

    model_number: int
    version: int

    def rows_of(self, table: Table) -> ColumnElement[bool]:
        """Return the condition for the version's rows of a table with `model_number` and `model_version`."""
        return and_(table.c.model_number == self.model_number, table.c.model_version == self.version)
