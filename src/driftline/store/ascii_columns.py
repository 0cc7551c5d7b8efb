"""Comparisons with columns of names, which are ASCII: MySQL fails to compare them with other texts. No I/O here."""

from typing import Any

from sqlalchemy import Column, ColumnElement, false


def equals(column: Column[Any], value: object) -> ColumnElement[bool]:
    """Return whether a column has a value; one of `driftline.store.tables.name_type` never has a text beyond ASCII."""
    if getattr(column.type, "charset", None) == "ascii" and not str(value).isascii():
        return false()
    return column == value
