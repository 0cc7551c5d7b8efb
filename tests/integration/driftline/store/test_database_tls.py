"""MySQL over TLS: without a certificate of the CA for the host name, no password is sent to the server."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from driftline.errors import DatabaseRefused, DatabaseUntrusted, InvalidInput
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from monitoring.ingest.sql_config import SqlSourceConfig
from monitoring.ingest.sql_table import SourceUnavailable, SqlTable
from stack.services.certificates import Certificates, make_certificates
from stack.testing.fixtures import DatabaseAddress
from stack.testing.temporary_servers import TemporaryDatabase, mariadb_server
from tests.reachable_database import is_reachable

PASSWORD = "password of a user who must use TLS"


@pytest.fixture(scope="module")
def server(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabase]:
    """Run MariaDB with TLS and two users: one must use TLS, one must present a certificate."""
    with mariadb_server(tmp_path_factory.mktemp("mariadb"), certificates.server_flags) as server:
        with server.administrator() as connection, connection.cursor() as cursor:
            for name in ("RawData", "RawData_truth"):
                cursor.execute(f"CREATE DATABASE {name}")
            for user, requirement in (("by_tls", "SSL"), ("by_certificate", "X509")):
                cursor.execute(f"CREATE USER {user}@localhost IDENTIFIED BY %s REQUIRE {requirement}", (PASSWORD,))
                cursor.execute(f"GRANT ALL PRIVILEGES ON *.* TO {user}@localhost")
        yield server


def _settings(server: TemporaryDatabase, **changed: Any) -> DatabaseSettings:
    values = {"host": "127.0.0.1", "port": server.port, "user": "by_tls", "password": PASSWORD, **changed}
    return DatabaseSettings.model_validate(values)


def _cipher(settings: DatabaseSettings) -> str:
    engine = make_engine(settings)
    with engine.connect() as connection:
        cipher = str(connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1])
    engine.dispose()
    return cipher


def test_with_the_right_ca_connections_use_tls(server: TemporaryDatabase, certificates: Certificates) -> None:
    settings = _settings(server, ssl_ca=certificates.authority)
    assert "AES" in _cipher(settings)
    engine = make_engine(settings)
    migrate.upgrade(engine)
    migrate.require_current(engine)
    engine.dispose()


def test_without_a_ca_connections_use_tls_and_load_no_authorities(
    server: TemporaryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(ssl, "create_default_context")
    assert "AES" in _cipher(_settings(server))


def test_a_client_presents_its_certificate_on_request(server: TemporaryDatabase, certificates: Certificates) -> None:
    without = _settings(server, user="by_certificate", ssl_ca=certificates.authority)
    with pytest.raises(DatabaseRefused):
        is_reachable(make_engine(without))
    files = {"ssl_cert": certificates.certificate, "ssl_key": certificates.key}
    assert _cipher(without.model_copy(update=files))


def test_another_ca_is_refused(server: TemporaryDatabase, tmp_path: Path) -> None:
    other = make_certificates(tmp_path, datetime.now(UTC))
    with pytest.raises(DatabaseUntrusted, match="no certificate signed by DB_SSL_CA for DB_HOST"):
        is_reachable(make_engine(_settings(server, ssl_ca=other.authority)))


def test_another_name_is_refused(server: TemporaryDatabase, certificates: Certificates) -> None:
    """The certificate is for 127.0.0.1."""
    with pytest.raises(DatabaseUntrusted, match=r"(?i)hostname mismatch"):
        is_reachable(make_engine(_settings(server, host="localhost", ssl_ca=certificates.authority)))


def test_there_is_no_fallback_to_plain_text(mariadb: DatabaseAddress, certificates: Certificates) -> None:
    settings = DatabaseSettings.model_validate({**mariadb.settings(), "ssl_ca": certificates.authority})
    with pytest.raises(DatabaseUntrusted, match="MySQL does not support TLS, which DB_SSL_CA requires"):
        is_reachable(make_engine(settings))


def _source(server: TemporaryDatabase | DatabaseAddress, user: str, password: str, options: str) -> SqlTable:
    """Return a table that `monitoring.ingest sql` would read."""
    config = SqlSourceConfig(name="own", model="churn", query="SELECT 1 AS id, NOW() AS at", key=("id",), time="at")
    address = f"mysql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{server.port}/RawData?{options}"
    return SqlTable(config, SecretStr(address))


def test_an_address_of_a_table_may_require_tls(
    server: TemporaryDatabase, certificates: Certificates, mariadb: DatabaseAddress, tmp_path: Path
) -> None:
    """The CA is in the address; neither another CA nor a server without TLS is sent a password."""
    trusted = f"ssl_ca={certificates.authority}"
    assert [*_source(server, "by_tls", PASSWORD, trusted).columns()] == ["id", "at"]
    files = f"{trusted}&ssl_cert={certificates.certificate}&ssl_key={certificates.key}"
    assert [*_source(server, "by_certificate", PASSWORD, files).columns()] == ["id", "at"]
    other = make_certificates(tmp_path, datetime.now(UTC)).authority
    with pytest.raises(SourceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        _source(server, "by_tls", PASSWORD, f"ssl_ca={other}").columns()
    with pytest.raises(SourceUnavailable, match="support it"):
        _source(mariadb, mariadb.user, mariadb.password, trusted).columns()
    with pytest.raises(InvalidInput, match=r"CA file .*missing.pem cannot be used"):
        _source(server, "by_tls", PASSWORD, f"ssl_ca={tmp_path}/missing.pem").columns()
