"""TLS on either side: version 1.2 or newer, and whoever a client speaks to has shown a certificate that fits."""

import ssl
from pathlib import Path

from driftline.errors import InvalidInput


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make what a server shows: its certificate (with those between it and the CA below it, in PEM) and its key.

    Raises:
        InvalidInput: a file cannot be read or holds something else, or the key is another certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


def client_context(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Make what a client asks for: a certificate for the name it calls, signed by a CA of the file `authority` alone.

    With `certificate` and `key` the client shows one too.

    Raises:
        InvalidInput: a file cannot be read or holds something else, or the key is another certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=authority)
    except OSError as error:
        raise InvalidInput(f"The CA file {authority} cannot be used: {_reason(error)}.") from error
    if certificate and key:
        _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for file in (certificate, key):  # of a missing file the library does not say which
        _require_readable(file)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"The certificate {certificate} with the key {key} cannot be used: {_reason(error)}."
        ) from error


def _require_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; correct the path, or who may read it.") from error


def _no_password() -> str:
    """Answer OpenSSL, which would otherwise ask at the terminal."""
    raise ValueError("the key has a password; give one without, that only this process's user can read")


def _reason(error: Exception) -> str:
    if not isinstance(error, ssl.SSLError):
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is another certificate's"
    return "there is no PEM in it that OpenSSL can read"
