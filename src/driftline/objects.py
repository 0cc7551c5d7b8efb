"""Objects by name: in a folder, in Google Cloud Storage (`gs://…`) or in S3 (`s3://…`), behind one interface.

An object is whole or not there: a put is one rename in a folder, one finished upload elsewhere. References, models,
prepared Parquet, reports and raw data are objects. The clouds' libraries are imported when one is opened.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from fsspec import AbstractFileSystem

from driftline import clouds
from driftline.errors import Conflict, InvalidInput, NotFound, Unavailable

BLOCK = 4 << 20
"""Bytes read at once."""
SCHEME = "://"
UNFINISHED = ".unfinished"


class ObjectMissing(NotFound):
    """There is no such object; bring it back, or make it again."""


class ObjectReplaced(Conflict):
    """The object was replaced while it was read; read it again."""


class StoreRefused(Unavailable):
    """The object store refuses; check the credentials, the bucket, and what this account may do in it."""


class StoreUnavailable(Unavailable):
    """The object store does not answer; check its address and the network, then try again."""


@dataclass(frozen=True)
class ObjectStore:
    """All objects under one place; a key is their name below it, such as `references/flights/1f.parquet`.

    `address` is the place as people write it: an absolute folder, `gs://bucket/prefix` or `s3://bucket/prefix`.
    Every method raises `ObjectMissing`, `StoreRefused` or `StoreUnavailable`, as they say.
    """

    address: str
    _filesystem: AbstractFileSystem
    _failures: clouds.Failures

    @property
    def folder(self) -> Path | None:
        """The folder, where it is one on this machine."""
        return None if SCHEME in self.address else Path(self.address)

    def under(self, prefix: str) -> "ObjectStore":
        """Give the part of the store below a prefix."""
        return replace(self, address=self.at(prefix))

    def at(self, key: str) -> str:
        """Give the full address of an object."""
        if not key or any(part in {"", ".", ".."} for part in key.split("/")):
            raise InvalidInput(f"{key!r} is no name of an object: parts between single slashes, none of them `..`.")
        return f"{self.address.rstrip('/')}/{key}"

    def put(self, key: str, content: bytes) -> None:
        """Store an object, in place of what was there; readers see the old one or the new one, never half."""
        path = self.at(key)
        with self._translated(path):
            if self.folder:
                with _placed(Path(path)) as file:
                    file.write(content)
            else:
                self._filesystem.pipe_file(path, content)

    def put_file(self, key: str, source: Path) -> None:
        """Store a file's content as an object."""
        path = self.at(key)
        with self._translated(path):
            if self.folder:
                with source.open("rb") as opened, _placed(Path(path)) as file:
                    while block := opened.read(BLOCK):
                        file.write(block)
            else:
                self._filesystem.put_file(str(source), path)

    def get(self, key: str) -> bytes:
        """Read an object."""
        path = self.at(key)
        with self._translated(path):
            content: bytes = self._filesystem.cat_file(path)
            return content

    def read(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Read an object from a byte on, in pieces; raises `ObjectReplaced` in the end where they may not fit."""
        path = self.at(key)
        with self._translated(path):
            yield from _blocks(Path(path), start) if self.folder else self._ranges(path, start)

    def _ranges(self, path: str, start: int) -> Iterator[bytes]:
        facts = self._filesystem.info(path)
        for begin in range(start, facts["size"], BLOCK):
            yield self._filesystem.cat_file(path, start=begin, end=min(begin + BLOCK, facts["size"]))
        if _tag(self._filesystem.info(path)) != _tag(facts):
            raise ObjectReplaced(f"{path} was replaced while it was read; read it again.")

    def fetch(self, key: str, target: Path) -> None:
        """Bring an object into a file, whole or not at all."""
        with _placed(target) as file:
            for block in self.read(key):
                file.write(block)

    def sha256(self, key: str) -> str:
        """Hash an object's content, in hex."""
        digest = sha256()
        for block in self.read(key):
            digest.update(block)
        return digest.hexdigest()

    def facts(self, key: str) -> dict[str, Any]:
        """Give what the store knows of an object: `size` in bytes, and what else it says."""
        path = self.at(key)
        with self._translated(path):
            facts: dict[str, Any] = self._filesystem.info(path)
        if facts["type"] != "file":
            raise ObjectMissing(f"{path} is no object; the objects are below it.")
        return facts

    def exists(self, key: str) -> bool:
        """Say whether the object is there."""
        try:
            return bool(self.facts(key))
        except ObjectMissing:
            return False

    def names(self) -> list[str]:
        """List the names of all objects, sorted; what is being put, or marks a folder, is not among them."""
        with self._translated(self.address):
            found: list[str] = self._filesystem.find(self.address)
        root = self._filesystem._strip_protocol(self.address).rstrip("/") + "/"
        names = (path.removeprefix(root) for path in found if path.startswith(root))
        return sorted(name for name in names if name and not name.endswith(("/", UNFINISHED)))

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        path = self.at(key)
        try:
            with self._translated(path):
                self._filesystem.rm_file(path)
        except ObjectMissing:
            return

    def delete_all(self) -> None:
        """Remove every object of this place."""
        if self.folder:
            with self._translated(self.address):
                shutil.rmtree(self.folder, ignore_errors=not self.folder.exists())
        else:
            for key in self.names():
                self.delete(key)

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """Turn the library's errors into ours, which name the object and the cure."""
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissing(f"There is no object {path}; bring it back, or make it again.") from error
        except self._failures as error:
            raise self._explained(path, error) from error

    def _explained(self, path: str, error: Exception) -> StoreRefused | StoreUnavailable:
        said = (str(error) or type(error).__name__).splitlines()[0][:300]
        kind = StoreRefused if clouds.is_refusal(error) else StoreUnavailable
        if self.folder:
            return kind(f"{path} cannot be read or written ({said}): check the folder's rights and the disk's space.")
        return kind(f"{path}: {kind.__doc__} It said: {said}")


def open_store(address: str | Path) -> ObjectStore:
    """Open the store at an address: a folder (made when something is put), `gs://bucket/prefix`, `s3://bucket/prefix`.

    Raises:
        InvalidInput: another scheme, or no bucket. MissingLibrary: the cloud's library is not installed.
        StoreRefused: there are no credentials.
    """
    scheme, _, rest = str(address).rpartition(SCHEME)
    if scheme in {"", "file"}:
        return ObjectStore(str(Path(rest).absolute()), clouds.folders(), (OSError,))
    if scheme not in clouds.OPENERS or not rest.strip("/"):
        raise InvalidInput(f"{address} is no place of objects; give a folder, gs://bucket/… or s3://bucket/….")
    try:
        filesystem, failures = clouds.OPENERS[scheme]()
    except clouds.NoCredentials as error:
        raise StoreRefused(f"{address}: {error}") from error
    return ObjectStore(f"{scheme}{SCHEME}{rest.strip('/')}", filesystem, failures)


def parent_and_name(address: str) -> tuple[ObjectStore, str]:
    """Open the place that an object's full address is in; give it and the object's name."""
    parent, slash, name = address.rpartition("/")
    return open_store(parent or slash or "."), name


def read_object(address: str) -> bytes:
    """Read the object at a full address.

    Raises:
        ObjectMissing, StoreRefused, StoreUnavailable: as `ObjectStore`.
    """
    store, name = parent_and_name(address)
    return store.get(name)


def _blocks(path: Path, start: int) -> Iterator[bytes]:
    """Read a file from a byte on; opened once, it stays the same one when another takes its place."""
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield block


def _tag(facts: dict[str, Any]) -> object:
    """What a cloud's store says that changes with an object's content."""
    return facts.get("ETag") or facts.get("etag")


@contextmanager
def _placed(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place by one rename, when it is whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid4()}{UNFINISHED}")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
