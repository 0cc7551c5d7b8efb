"""The fsspec file systems behind `driftline.objects`; a cloud's library is imported when its store is opened."""

import logging
import os
from collections.abc import Callable

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from driftline.errors import MissingLibrary

Failures = tuple[type[Exception], ...]
"""The exceptions of a library when its store refuses access or does not answer."""
CONNECT_SECONDS, READ_SECONDS = 10, 60
RETRIES = 2
ACCESS_DENIED_CODES = {401, 403, "401", "403"}


class NoCredentials(Exception):
    """This machine has no credentials for the store."""


def local() -> AbstractFileSystem:
    """Return the file system of this machine."""
    return LocalFileSystem(skip_instance_cache=True)


def google() -> tuple[AbstractFileSystem, Failures]:
    """Open Google Cloud Storage with Application Default Credentials; an emulator (STORAGE_EMULATOR_HOST) without any.

    `GCSFileSystem` uses the plain JSON protocol; gcsfs's default asks another service about each bucket first.
    """
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs a traceback of every error that it raises
    try:
        import aiohttp  # noqa: PLC0415
        import requests  # noqa: PLC0415
        from gcsfs.core import GCSFileSystem  # noqa: PLC0415
        from gcsfs.retry import HttpError  # noqa: PLC0415
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibrary("gs:// requires gcsfs: install driftline[gcs].") from error
    token = "anon" if os.environ.get("STORAGE_EMULATOR_HOST") else "google_default"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    try:
        filesystem = GCSFileSystem(
            project="driftline",
            token=token,
            session_kwargs={"timeout": timeout},
            use_listings_cache=False,
            skip_instance_cache=True,
        )
    except DefaultCredentialsError as error:
        raise NoCredentials(
            "this machine has no Google credentials; run `gcloud auth application-default login`."
        ) from error
    failures = (HttpError, GoogleAuthError, requests.RequestException, aiohttp.ClientError, OSError, ValueError)
    return filesystem, failures


def amazon() -> tuple[AbstractFileSystem, Failures]:
    """Open S3 with the AWS_* variables, or with any other credentials of this machine."""
    for name in ("botocore", "aiobotocore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they log the source of each setting
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from s3fs import S3FileSystem  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibrary("s3:// requires s3fs: install driftline[s3].") from error
    filesystem = S3FileSystem(
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"max_attempts": RETRIES},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    return filesystem, (BotoCoreError, ClientError, OSError)


OPENERS: dict[str, Callable[[], tuple[AbstractFileSystem, Failures]]] = {"gs": google, "s3": amazon}


def is_access_denied(error: Exception) -> bool:
    """Return whether the store answered and denied access."""
    denied = type(error).__name__ in {"NoCredentialsError", "RefreshError", "PermissionError"}
    return denied or getattr(error, "code", None) in ACCESS_DENIED_CODES or str(error).startswith("Forbidden")
