"""The part of a request that reading rows depends on. No I/O here."""

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from driftline.engine.catalogue import ColumnKind


class MissingWords(Protocol):
    """The words that stand for a missing value, by column."""

    def missing_words(self, column: str, /) -> frozenset[str]:
        """Return the words that stand for a missing value in a column."""


class ReadOptions(MissingWords, Protocol):
    """The part of a resolved request that selects the columns to read, and how to read their values.

    `features` is None for every column; `zone` applies to times without an offset; `option` spells an option with its
    value for a message.
    """

    @property
    def timestamp(self) -> str:
        """The column of event times."""

    @property
    def id(self) -> str | None:
        """The column of row ids."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are not features."""

    @property
    def features(self) -> tuple[str, ...] | None:
        """The columns of the features."""

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """The kinds that the request states."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""

    def option(self, name: str, value: Any, /) -> str:
        """Return an option with its value as the user writes it."""
