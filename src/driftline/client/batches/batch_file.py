"""The name of a batch's file, which says everything about the batch. No I/O here."""

import hashlib
import re
import string
from collections.abc import Sequence
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


class BatchStage(StrEnum):
    """How far a batch is; only `spool` moves a batch to another stage."""

    NEW = "new"
    """Being made; not acknowledged, and not sent."""
    OPEN = "open"
    """One process appends to it and holds its lock; without a lock its process has ended."""
    READY = "ready"
    """Complete: its content and its key never change again."""


_NAME = re.compile(rf"([0-9a-z-]+)\.({'|'.join(RowKind)})\.({'|'.join(FileFormat)})\.({'|'.join(BatchStage)})")

_DIGITS = string.digits + string.ascii_lowercase
MOST_REPLACEMENTS = len(_DIGITS)
"""The largest number of batches that replace one."""


@dataclass(frozen=True, order=True)
class BatchFile:
    """A batch in the spool folder; batches are ordered by the time at which they were begun."""

    key: str
    """The Idempotency-Key of the batch, in every attempt and every process."""
    kind: RowKind
    format: FileFormat
    stage: BatchStage
    folder: Path

    @classmethod
    def parse(cls, folder: Path, name: str) -> Self | None:
        """Return the batch that a file contains; None for other files."""
        match = _NAME.fullmatch(name)
        return cls(match[1], RowKind(match[2]), FileFormat(match[3]), BatchStage(match[4]), folder) if match else None

    @property
    def name(self) -> str:
        """The file's name without its stage."""
        return f"{self.key}.{self.kind}.{self.format}"

    @property
    def path(self) -> Path:
        """Where the batch is."""
        return self.folder / f"{self.name}.{self.stage}"

    def at(self, stage: BatchStage) -> "BatchFile":
        """Return the same batch at another stage."""
        return BatchFile(self.key, self.kind, self.format, stage, self.folder)

    @property
    def origin(self) -> str:
        """The key of the batch before it was divided."""
        return "-".join(self.key.split("-")[:2])

    def replacements(self, contents: Sequence[bytes]) -> list["BatchFile"]:
        """Return the batches that replace this one when it is refused; their keys follow from its own and the contents.

        The digits of a replacement sort it behind those before it; with its hash no key ever has two contents.
        """
        path = self.key.split("-")[2] if self.key != self.origin else ""
        keys = [
            f"{self.origin}-{path}{digit}-{_short_hash(content)}"
            for digit, content in zip(_DIGITS, contents, strict=False)
        ]
        return [BatchFile(key, self.kind, self.format, self.stage, self.folder) for key in keys]


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
