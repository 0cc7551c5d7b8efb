"""What raw data is downloaded from: one version of one object, read from any byte on. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, TypeVar

from driftline.errors import Conflict, DriftlineError, InvalidInput, NotFound, Unavailable

Write = Callable[[bytes], object]
T = TypeVar("T")
GZIP_TYPES = ("application/gzip", "application/x-gzip")


class NotConfigured(InvalidInput):
    """No raw data is named: set RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL, and run it again."""


class NoSuchObject(NotFound):
    """There is no such object or bucket; check RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL."""


class NoAccess(DriftlineError):
    """The store refuses this account; give it the right to read the object (role Storage Object Viewer)."""

    status = HTTPStatus.FORBIDDEN


class NoSpace(DriftlineError):
    """The disk is full; free some space and run it again: it goes on where it stopped."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


class Unusable(InvalidInput):
    """The folder cannot be used; check who may write there, and what is in the way."""


class Damaged(InvalidInput):
    """What was downloaded is not what is stored; run it again."""


class StoreUnavailable(Unavailable):
    """The store does not answer; check the network and run it again: it goes on where it stopped."""


class Replaced(Conflict):
    """The object was replaced while it was read; run it again."""


class Interrupted(Exception):
    """A request came to no end, and the same again may: the message says why."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object: where it is, what it is told from others by, its size in bytes.

    `generation` changes with the content: Cloud Storage's generation, or the store's ETag. `crc32c` is that of the
    stored bytes in base64, None where the store does not say it.
    """

    source: str
    generation: str
    size: int
    crc32c: str | None
    gzipped: bool


class Source(Protocol):
    """An object that raw data is downloaded from; `Interrupted` is what may be tried again."""

    def look(self) -> Version:
        """Say which version there is now.

        Raises:
            NoSuchObject, NoAccess, Interrupted.
        """

    def read(self, version: Version, start: int, write: Write) -> None:
        """Give the bytes of that version from `start` on to `write`, piece by piece, to the end.

        Raises:
            Replaced: there is another version now. NoAccess, Interrupted.
        """


def is_gzipped(name: str, content_type: str | None, content_encoding: str | None) -> bool:
    """Say whether an object is gzipped, by its name, else by what its store says of it."""
    return name.endswith(".gz") or content_type in GZIP_TYPES or content_encoding == "gzip"
