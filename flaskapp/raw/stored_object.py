"""An object of any store (`s3://…`, or a file), as a `flaskapp.raw.source.ObjectSource`."""

from collections.abc import Iterator
from contextlib import contextmanager

from driftline.objects import ObjectMissing, ObjectReplaced, StoreRefused, StoreUnavailable, split_address
from flaskapp.raw.source import Interrupted, NoAccess, NoSuchObject, ObjectVersion, Replaced, Write, is_gzipped

CHANGING = ("ETag", "etag", "mtime")
"""Properties that change with an object's content, in order of preference."""


class StoredObject:
    """The object at an address, as a `flaskapp.raw.source.ObjectSource`; its store has no checksum."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._store, self._name = split_address(address)

    def current_version(self) -> ObjectVersion:
        """Return the object's size and what distinguishes its versions."""
        with self._translated():
            facts = self._store.info(self._name)
        generation = next((str(facts[name]) for name in CHANGING if facts.get(name)), "unknown")
        gzipped = is_gzipped(self._name, facts.get("ContentType"), facts.get("ContentEncoding"))
        return ObjectVersion(self._store.at(self._name), generation.strip('"'), int(facts["size"]), None, gzipped)

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        """Read the object from `start` on, in ranges, and check that it still has that version."""
        with self._translated():
            for content in self._store.read(self._name, start):
                write(content)
        if self.current_version() != version:
            raise Replaced(f"{version.source} was replaced while it was read; run the command again.")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ObjectMissing as error:
            raise NoSuchObject(f"There is no object {self._address}: check RAW_DATA_URL.") from error
        except ObjectReplaced as error:
            raise Replaced(f"{self._address} was replaced while it was read; run the command again.") from error
        except StoreRefused as error:
            raise NoAccess(str(error)) from error
        except StoreUnavailable as error:
            raise Interrupted(str(error)) from error
