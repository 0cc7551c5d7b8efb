"""Uploaded references until they are registered: a few files for half an hour, which only this process knows."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock
from weakref import finalize

from driftline.clock import Clock
from driftline.errors import NotFound
from driftline.ingest.rows.content import Content
from driftline.models.uploaded import columns_of, file_content

MOST_DRAFTS = 4
LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """An uploaded reference: the name of its file, where it is stored, its columns, and when it came."""

    file_name: str
    path: Path
    columns: tuple[str, ...]
    uploaded_at: datetime

    def content(self) -> Content:
        """Return what was uploaded.

        Raises:
            NotFound: the file was removed meanwhile.
        """
        try:
            return file_content(self.file_name, self.path.read_bytes())
        except FileNotFoundError:
            raise NotFound(EXPIRED) from None


EXPIRED = f"This upload is kept for {LIFETIME.seconds // 60} minutes at most, and is gone; upload the reference again."


class Drafts:
    """The uploads of one process, by a key that nobody can guess; the oldest make place for new ones. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        """Store the clock; nothing is written before the first upload."""
        self._clock, self._lock = clock, Lock()
        self._folder: Path | None = None
        self._drafts: dict[str, Draft] = {}

    def add(self, file_name: str, body: bytes) -> tuple[str, Draft]:
        """Store a file; return its key and the draft.

        Raises:
            InvalidInput, UnsupportedContent, TooMuchContent: the file is not a table, or too large once it is unpacked.
        """
        columns = columns_of(file_content(file_name, body))
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._remove_old(MOST_DRAFTS - 1)
            if self._folder is None:
                self._folder = Path(mkdtemp(prefix="driftline-uploads-"))
                finalize(self, rmtree, self._folder, ignore_errors=True)
            path = self._folder / key
            path.write_bytes(body)
            draft = self._drafts[key] = Draft(file_name, path, columns, self._clock())
        return key, draft

    def get(self, key: str) -> Draft:
        """Return a draft.

        Raises:
            NotFound: there is none with that key any more.
        """
        with self._lock:
            self._remove_old(MOST_DRAFTS)
            draft = self._drafts.get(key)
        if draft is None:
            raise NotFound(EXPIRED)
        return draft

    def remove(self, key: str) -> None:
        """Remove a draft, if it is there."""
        with self._lock:
            self._discard(key)

    def _remove_old(self, most: int) -> None:
        """Remove the drafts whose time is over, and the oldest ones beyond `most`."""
        limit = self._clock() - LIFETIME
        for key in [key for key, draft in self._drafts.items() if draft.uploaded_at < limit]:
            self._discard(key)
        for key in [*self._drafts][: max(len(self._drafts) - most, 0)]:
            self._discard(key)

    def _discard(self, key: str) -> None:
        draft = self._drafts.pop(key, None)
        if draft is not None:
            draft.path.unlink(missing_ok=True)
