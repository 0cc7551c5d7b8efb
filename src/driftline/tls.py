"""TLS contexts for servers and clients: version 1.2 or newer, and clients verify the server's certificate."""

import ssl
from pathlib import Path

from driftline.errors import InvalidInput


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server with a certificate (PEM, with its intermediate certificates) and its key.

    Raises:
        InvalidInput: a file cannot be read or is not PEM, or the key belongs to another certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


def client_context(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return the context of a client that trusts only certificates for the host it calls, signed by the CA `authority`.

    With `certificate` and `key` the client presents a certificate too.

    Raises:
        InvalidInput: a file cannot be read or is not PEM, or the key belongs to another certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=authority)
    except OSError as error:
        raise InvalidInput(
            f"The CA file {authority} cannot be used: {_reason(error)}; correct the path or the file."
        ) from error
    if certificate and key:
        _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for file in (certificate, key):  # OpenSSL does not tell which of the two is missing
        _require_readable(file)
    try:
        context.load_cert_chain(certificate, key, password=_reject_password)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"The certificate {certificate} with the key {key} cannot be used: {_reason(error)}; replace one of them."
        ) from error


def _require_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; correct the path or its permissions.") from error


def _reject_password() -> str:
    """Refuse a key with a password; without this callback OpenSSL would prompt for it at the terminal."""
    raise ValueError("the key is encrypted with a password, use one without")


def _reason(error: Exception) -> str:
    if not isinstance(error, ssl.SSLError):
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key belongs to another certificate"
    return "it contains no PEM data that OpenSSL can read"
