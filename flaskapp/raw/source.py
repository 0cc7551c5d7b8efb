"""The source of a download: one version of one object, readable from any byte on. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, TypeVar

from driftline.errors import Conflict, DriftlineError, InvalidInput, NotFound, Unavailable

Write = Callable[[bytes], object]
T = TypeVar("T")
GZIP_TYPES = ("application/gzip", "application/x-gzip")


class NotConfigured(InvalidInput):
    """No raw data is configured: set RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL, and try again."""


class NoSuchObject(NotFound):
    """There is no such object or bucket; check RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL."""


class NoAccess(DriftlineError):
    """The store refuses this account; give it the right to read the object (role Storage Object Viewer)."""

    status = HTTPStatus.FORBIDDEN


class NoSpace(DriftlineError):
    """The disk is full; free some space and run the command again: it resumes where it stopped."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


class Unusable(InvalidInput):
    """The folder cannot be used; check its permissions, and whether another file has its name."""


class Damaged(InvalidInput):
    """The downloaded bytes differ from the stored ones; run the command again."""


class ObjectUnavailable(Unavailable):
    """The store does not answer; check the network and run the command again: it resumes where it stopped."""


class Replaced(Conflict):
    """The object was replaced while it was read; run the command again."""


class Interrupted(Exception):
    """A request ended early, and may succeed if repeated; the message says why."""


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object: its address, what distinguishes it from other versions, and its size in bytes.

    `generation` changes with the content: Cloud Storage's generation, or the store's ETag. `crc32c` is that of the
    stored bytes in base64, None if the store does not know it.
    """

    source: str
    generation: str
    size: int
    crc32c: str | None
    gzipped: bool


class ObjectSource(Protocol):
    """An object with raw data; a request that raises `Interrupted` may be repeated."""

    def current_version(self) -> ObjectVersion:
        """Return the current version.

        Raises:
            NoSuchObject, NoAccess, Interrupted.
        """

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        """Pass the bytes of a version, from `start` to the end, to `write` piece by piece.

        Raises:
            Replaced: the object has another version now. NoAccess, Interrupted.
        """


def is_gzipped(name: str, content_type: str | None, content_encoding: str | None) -> bool:
    """Return whether an object is gzipped, by its name, else by its content type or encoding."""
    return name.endswith(".gz") or content_type in GZIP_TYPES or content_encoding == "gzip"
