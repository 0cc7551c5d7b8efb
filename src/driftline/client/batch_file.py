"""The name of a batch's file, which says everything about the batch. No I/O here."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self


class RowKind(StrEnum):
    """What the rows of a batch are; also the last part of the route that takes them."""

    PREDICTIONS = "predictions"
    LABELS = "labels"


class FileFormat(StrEnum):
    """How the rows of a batch are encoded."""

    NDJSON = "ndjson"
    ARROW = "arrow"


class Stage(StrEnum):
    """How far a batch is; only `spool` moves a batch to another stage."""

    NEW = "new"
    """Being made; not acknowledged, and not sent."""
    OPEN = "open"
    """One process appends to it and holds its lock; without a lock its process has ended."""
    READY = "ready"
    """Complete: its content and its key never change again."""


_NAME = re.compile(rf"([0-9a-z-]+)\.({'|'.join(RowKind)})\.({'|'.join(FileFormat)})\.({'|'.join(Stage)})")


@dataclass(frozen=True, order=True)
class BatchFile:
    """A batch in the spool folder; batches are ordered by the time at which they were begun."""

    key: str
    """The Idempotency-Key of the batch, in every attempt and every process."""
    kind: RowKind
    format: FileFormat
    stage: Stage
    folder: Path

    @classmethod
    def parse(cls, folder: Path, name: str) -> Self | None:
        """Return the batch that a file contains; None for other files."""
        match = _NAME.fullmatch(name)
        return cls(match[1], RowKind(match[2]), FileFormat(match[3]), Stage(match[4]), folder) if match else None

    @property
    def name(self) -> str:
        """The file's name without its stage."""
        return f"{self.key}.{self.kind}.{self.format}"

    @property
    def path(self) -> Path:
        """Where the batch is."""
        return self.folder / f"{self.name}.{self.stage}"

    def at(self, stage: Stage) -> "BatchFile":
        """Return the same batch at another stage."""
        return BatchFile(self.key, self.kind, self.format, stage, self.folder)

    @property
    def origin(self) -> str:
        """The key of the batch before it was halved."""
        return "-".join(self.key.split("-")[:2])

    @property
    def halvings(self) -> int:
        """How often the batch was halved to become this one."""
        return len(self.key) - len(self.origin) - 1 if self.key != self.origin else 0

    def halves(self) -> tuple["BatchFile", "BatchFile"]:
        """Return the two batches that replace this one when it is too large; their keys follow from its own."""
        joint = "" if self.halvings else "-"
        first, second = (
            BatchFile(f"{self.key}{joint}{digit}", self.kind, self.format, self.stage, self.folder) for digit in "01"
        )
        return first, second
