"""TLS of the database's driver: `DatabaseSettings` as properties of MariaDB's driver for Java."""

import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings
from driftline.tls import client_context

LOOSENING = ("sslmode", "usessl", "trustservercertificate", "disablesslhostnameverification")


def tls_properties(database: DatabaseSettings, options: str, folder: Path) -> dict[str, str]:
    """Return the driver's properties: the text of the CA, so that no worker needs its file, and the client's key file.

    The key file is written to `folder`, which is removed with the session; on a cluster the folder must be shared.

    Raises:
        InvalidInput: a file cannot be used, or `options` of the address would weaken the verification.
    """
    if database.ssl_ca is None:
        return {}
    client_context(database.ssl_ca, database.ssl_cert, database.ssl_key)  # raises an error that names a faulty file
    if any(name in options.lower() for name in LOOSENING):
        raise InvalidInput(
            "DB_SSL_CA is set, so SPARK_JDBC_OPTIONS must not say how certificates are checked; remove that option."
        )
    client = _client_key(database.ssl_cert, database.ssl_key, folder) if database.ssl_cert and database.ssl_key else {}
    return {"sslMode": "verify-full", "serverSslCert": database.ssl_ca.read_text(), **client}


def _client_key(certificate: Path, key: Path, folder: Path) -> dict[str, str]:
    """Write the client's certificate and key to a PKCS #12 file and return the driver's properties for it."""
    password = secrets.token_urlsafe(32)
    leaf, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    private = load_pem_private_key(key.read_bytes(), None)
    content = pkcs12.serialize_key_and_certificates(
        b"client",
        private,  # type: ignore[arg-type]  # of all kinds of keys; a certificate's is one of those it takes
        leaf,
        chain,
        BestAvailableEncryption(password.encode()),
    )
    store = folder / "client.p12"
    store.touch(mode=0o600)
    store.write_bytes(content)
    return {"keyStore": str(store), "keyStoreType": "PKCS12", "keyStorePassword": password}
