"""An object of Google Cloud Storage, read with the machine's credentials; every wait has a time-out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import google.auth
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as authentication
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud.storage import Blob, Client
from google.oauth2.service_account import Credentials as KeyFile

from driftline.errors import InvalidInput
from flaskapp.raw.source import Interrupted, NoAccess, NoSuchObject, ObjectVersion, Replaced, Write, is_gzipped

SCOPES = ("https://www.googleapis.com/auth/devstorage.read_only",)
WAIT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""
LOGIN = "run `gcloud auth application-default login`, or on a machine use workload identity (docs/how-to/cloud-data.md)"
KEY_FILE = (
    "A service account's key file is in use. A key file can leak: prefer workload identity or "
    "`gcloud auth application-default login`, and never commit it."
)
INTERRUPTED = (requests.RequestException, urllib3.exceptions.HTTPError, authentication.TransportError, ConnectionError)
BUSY = (api.ServerError, api.TooManyRequests)


def make_client(emulated: bool, warn: Callable[[str], None]) -> Client:
    """Make a client with Application Default Credentials; an emulator (STORAGE_EMULATOR_HOST) needs none.

    Raises:
        NoAccess: the machine has no credentials, or they cannot be read.
    """
    if emulated:
        return _client_of_objects(AnonymousCredentials())  # type: ignore[no-untyped-call]
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
    except authentication.GoogleAuthError as error:
        raise NoAccess(f"No valid Google credentials were found: {LOGIN}.") from error
    if isinstance(credentials, KeyFile):
        warn(KEY_FILE)
    return _client_of_objects(credentials)


def _client_of_objects(credentials: Credentials) -> Client:
    """Make a client that requests objects only.

    Since 3.11 the library also requests the bucket's metadata, for traces, in a thread of its own. The role Storage
    Object Viewer does not allow that, so each run would log a denied access.
    """
    client = Client(project=None, credentials=credentials)
    client._bucket_metadata_cache = None
    return client


class GoogleObject:
    """One object of a bucket, as a `flaskapp.raw.source.ObjectSource`."""

    def __init__(self, client: Client, bucket: str, name: str) -> None:
        """Store the names; raise `InvalidInput` if the bucket's name is not valid."""
        self._client, self._bucket, self._name = client, bucket, name
        _require_valid_name(client, bucket)
        self._source = f"gs://{bucket}/{name}"

    def current_version(self) -> ObjectVersion:
        """Return the object's generation, size and checksum."""
        blob = self._blob()
        with self._translated():
            blob.reload(timeout=WAIT, retry=None)
        gzipped = is_gzipped(self._name, blob.content_type, blob.content_encoding)
        return ObjectVersion(self._source, str(blob.generation), int(blob.size), blob.crc32c, gzipped)

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        """Read that generation from `start` on, in one request."""
        target = cast("BinaryIO", _Target(write))
        try:
            with self._translated():
                self._blob(int(version.generation)).download_to_file(
                    target, start=start, raw_download=True, checksum=None, timeout=WAIT, retry=None
                )
        except NoSuchObject as error:
            raise Replaced(
                f"{self._source} was replaced or deleted while it was read; run the command again."
            ) from error

    def _blob(self, generation: int | None = None) -> Blob:
        return self._client.bucket(self._bucket).blob(self._name, generation=generation)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate errors of the client into the errors of `flaskapp.raw.source`."""
        try:
            yield
        except api.NotFound as error:
            raise NoSuchObject(
                f"There is no object {self._name!r} in a bucket {self._bucket!r}: check RAW_DATA_BUCKET and "
                "RAW_DATA_OBJECT, or RAW_DATA_URL (letters and slashes count)."
            ) from error
        except (api.Forbidden, api.Unauthorized) as error:
            raise NoAccess(
                f"Google denies this account access to {self._source}: grant it the role Storage Object Viewer "
                "(roles/storage.objectViewer) on the bucket, or log in with another account."
            ) from error
        except INTERRUPTED as error:
            raise Interrupted(_first_line(error)) from error
        except BUSY as error:
            raise Interrupted(f"Google answers {error.code}") from error
        except api.GoogleAPICallError as error:
            raise InvalidInput(f"Google cannot return {self._source} ({error.code}): {_shortened(error)}") from error
        except authentication.GoogleAuthError as error:
            raise NoAccess(f"Google does not accept the credentials of this machine: {LOGIN}.") from error


class _Target:
    """A writable file that passes what the client writes to a function."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, content: bytes) -> int:
        self._write(content)
        return len(content)


def _first_line(error: BaseException) -> str:
    """Return the type of a network error and the first line of its cause, without addresses and objects."""
    inner: Any = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__
    return _shortened(f"{type(error).__name__}: {inner}")


def _shortened(error: object) -> str:
    return str(error).splitlines()[0][:200]


def _require_valid_name(client: Client, bucket: str) -> None:
    try:
        client.bucket(bucket)
    except ValueError as error:
        raise InvalidInput(f"{bucket!r} is not a valid bucket name; correct RAW_DATA_BUCKET. {error}") from error
