"""Objects by key in a folder, in Google Cloud Storage (`gs://…`) or in S3 (`s3://…`), behind one interface.

Writes are atomic: an object appears with one rename in a folder, with one completed upload elsewhere. References,
models, prepared Parquet, reports and raw data are objects. A cloud's library is imported when its store is opened.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
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
"""Bytes per read."""
SCHEME = "://"
UNFINISHED = ".unfinished"


class ObjectMissing(NotFound):
    """The object does not exist; restore it, or create it again."""


class ObjectReplaced(Conflict):
    """The object was replaced while it was read; read it again."""


class StoreRefused(Unavailable):
    """The object store denies access; check the credentials, the bucket, and the account's permissions in it."""


class StoreUnavailable(Unavailable):
    """The object store does not answer; check its address and the network, then try again."""


@dataclass(frozen=True)
class ObjectStore:
    """All objects below one address; a key is a path below it, such as `references/flights/1f.parquet`.

    `address` is an absolute folder, `gs://bucket/prefix` or `s3://bucket/prefix`.
    Every method that accesses the store may raise `ObjectMissing`, `StoreRefused` or `StoreUnavailable`.
    """

    address: str
    _filesystem: AbstractFileSystem
    _failures: clouds.Failures

    @property
    def folder(self) -> Path | None:
        """The folder of a store on this machine; None for a cloud."""
        return None if SCHEME in self.address else Path(self.address)

    def under(self, prefix: str) -> "ObjectStore":
        """Return the part of the store below a prefix."""
        return replace(self, address=self.at(prefix))

    def at(self, key: str) -> str:
        """Return the full address of an object; raises `InvalidInput` for an invalid key."""
        if not key or any(part in {"", ".", ".."} for part in key.split("/")):
            raise InvalidInput(
                f"{key!r} is not a valid object key; use names separated by single slashes, none of them `.` or `..`."
            )
        return f"{self.address.rstrip('/')}/{key}"

    def put(self, key: str, content: bytes) -> None:
        """Store an object, replacing an existing one; readers see the old or the new content, never a part."""
        path = self.at(key)
        with self._translated_errors(path):
            if self.folder:
                with _atomic_file(Path(path)) as file:
                    file.write(content)
            else:
                self._filesystem.pipe_file(path, content)

    def put_file(self, key: str, source: Path) -> None:
        """Store the content of a file as an object."""
        path = self.at(key)
        with self._translated_errors(path):
            if self.folder:
                with source.open("rb") as reader, _atomic_file(Path(path)) as file:
                    while block := reader.read(BLOCK):
                        file.write(block)
            else:
                self._filesystem.put_file(str(source), path)

    def get(self, key: str) -> bytes:
        """Read an object."""
        path = self.at(key)
        with self._translated_errors(path):
            content: bytes = self._filesystem.cat_file(path)
            return content

    def read(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Yield an object in blocks from byte `start` on; raises `ObjectReplaced` if it changed meanwhile."""
        path = self.at(key)
        with self._translated_errors(path):
            yield from _blocks(Path(path), start) if self.folder else self._ranges(path, start)

    def _ranges(self, path: str, start: int) -> Iterator[bytes]:
        info = self._filesystem.info(path)
        for begin in range(start, info["size"], BLOCK):
            yield self._filesystem.cat_file(path, start=begin, end=min(begin + BLOCK, info["size"]))
        if _tag(self._filesystem.info(path)) != _tag(info):
            raise ObjectReplaced(f"{path} was replaced while it was read; read it again.")

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Open an object to read parts of it; errors of reading inside the context are translated too."""
        path = self.at(key)
        with self._translated_errors(path), self._filesystem.open(path, "rb") as file:
            yield file

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object into a local file, completely or not at all."""
        with _atomic_file(target) as file:
            for block in self.read(key):
                file.write(block)

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of an object's content, in hex."""
        digest = sha256()
        for block in self.read(key):
            digest.update(block)
        return digest.hexdigest()

    def info(self, key: str) -> dict[str, Any]:
        """Return the store's metadata of an object: `size` in bytes and whatever else the store provides."""
        path = self.at(key)
        with self._translated_errors(path):
            info: dict[str, Any] = self._filesystem.info(path)
        if info["type"] != "file":
            raise ObjectMissing(f"{path} is a folder and not an object; name one of the objects in it.")
        return info

    def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        try:
            return bool(self.info(key))
        except ObjectMissing:
            return False

    def list_keys(self) -> list[str]:
        """Return the sorted keys of all objects, without unfinished ones and folder markers."""
        with self._translated_errors(self.address):
            paths: list[str] = self._filesystem.find(self.address)
        return [key for key, _ in self._keys(paths)]

    def versions(self, key: str | None = None) -> dict[str, str]:
        """Return the keys of all objects, or of one, in order, each with a text that changes when it is written again.

        The text is the size, time and file number in a folder, the generation or the ETag and time in a cloud.
        """
        if key is not None:
            return {key: self._version(self.info(key))}
        with self._translated_errors(self.address):
            listed: dict[str, dict[str, Any]] = self._filesystem.find(self.address, detail=True)
        return {
            name: self._version(listed[path]) for name, path in self._keys(listed) if listed[path]["type"] == "file"
        }

    def _version(self, info: Mapping[str, Any]) -> str:
        names = ("size", "mtime", "ino") if self.folder else ("generation", "ETag", "etag", "LastModified")
        return "/".join(str(info[name]) for name in names if name in info)

    def _keys(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield the keys of listed paths in order, without unfinished objects and folder markers, and their paths."""
        root = self._filesystem._strip_protocol(self.address).rstrip("/") + "/"
        keys = {path.removeprefix(root): path for path in paths if path.startswith(root)}
        yield from ((key, keys[key]) for key in sorted(keys) if key and not key.endswith(("/", UNFINISHED)))

    def delete(self, key: str) -> None:
        """Remove an object, if it exists."""
        path = self.at(key)
        try:
            with self._translated_errors(path):
                self._filesystem.rm_file(path)
        except ObjectMissing:
            return

    def delete_all(self) -> None:
        """Remove every object of this store."""
        if self.folder:
            with self._translated_errors(self.address):
                shutil.rmtree(self.folder, ignore_errors=not self.folder.exists())
        else:
            for key in self.list_keys():
                self.delete(key)

    @contextmanager
    def _translated_errors(self, path: str) -> Iterator[None]:
        """Translate the library's errors into ones that name the object and the cure."""
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissing(f"There is no object {path}; restore it, or create it again.") from error
        except self._failures as error:
            raise self._access_error(path, error) from error

    def _access_error(self, path: str, error: Exception) -> StoreRefused | StoreUnavailable:
        reason = (str(error) or type(error).__name__).splitlines()[0][:300]
        error_class = StoreRefused if clouds.is_access_denied(error) else StoreUnavailable
        if self.folder:
            return error_class(f"{path} cannot be accessed ({reason}); check its permissions and the free disk space.")
        return error_class(f"{path}: {error_class.default_message()} The store answered: {reason}")


def open_store(address: str | Path) -> ObjectStore:
    """Open the store at a folder (created by the first write), `gs://bucket/prefix` or `s3://bucket/prefix`.

    Raises:
        InvalidInput: the scheme is unknown, or the bucket is missing.
        MissingLibrary: the cloud's library is not installed.
        StoreRefused: there are no credentials.
    """
    scheme, _, path = str(address).rpartition(SCHEME)
    if scheme in {"", "file"}:
        return ObjectStore(str(Path(path).absolute()), clouds.local(), (OSError,))
    if scheme not in clouds.OPENERS or not path.strip("/"):
        raise InvalidInput(
            f"{address} is not an address of an object store; use a folder, gs://bucket/… or s3://bucket/…."
        )
    try:
        filesystem, failures = clouds.OPENERS[scheme]()
    except clouds.NoCredentials as error:
        raise StoreRefused(f"{address}: {error}") from error
    return ObjectStore(f"{scheme}{SCHEME}{path.strip('/')}", filesystem, failures)


def split_address(address: str) -> tuple[ObjectStore, str]:
    """Return the store that contains the object at a full address, and the object's key in it."""
    parent, slash, name = address.rpartition("/")
    return open_store(parent or slash or "."), name


def read_object(address: str) -> bytes:
    """Read the object at a full address.

    Raises:
        ObjectMissing, StoreRefused, StoreUnavailable: as the methods of `ObjectStore`.
    """
    store, name = split_address(address)
    return store.get(name)


def _blocks(path: Path, start: int) -> Iterator[bytes]:
    """Yield the blocks of a file from byte `start` on; the open file stays the same when it is replaced."""
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield block


def _tag(info: dict[str, Any]) -> object:
    """Return the part of a cloud object's metadata that changes with its content."""
    return info.get("ETag") or info.get("etag")


@contextmanager
def _atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that is renamed to `path` once it is complete and flushed to disk."""
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
