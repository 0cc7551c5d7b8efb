"""Spark connects to the database by TLS with the same verification as other clients."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession
from sqlalchemy import select

from churn.columns import Cdr
from churn.tables import cdr
from churn_jobs.days import DayRange
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.jdbc_tls import tls_properties
from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.services.certificates import Certificates, make_certificates
from stack.testing.temporary_servers import TemporaryDatabase, mariadb_server
from tests.integration.churn_jobs.conftest import migrated

PASSWORD = "of a user that a certificate is asked of"
DAYS = DayRange(datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2026, 1, 2, tzinfo=UTC).date())


@pytest.fixture(scope="module")
def server(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabase]:
    """MariaDB with TLS, and a user who needs a client certificate."""
    with mariadb_server(tmp_path_factory.mktemp("mariadb"), certificates.server_flags) as server:
        with server.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE RawData")
            cursor.execute("CREATE USER spark@localhost IDENTIFIED BY %s REQUIRE X509", (PASSWORD,))
            cursor.execute("GRANT ALL PRIVILEGES ON *.* TO spark@localhost")
        yield server


def _settings(server: TemporaryDatabase, certificates: Certificates, **changed: Any) -> DatabaseSettings:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "spark",
        "password": PASSWORD,
        "ssl_ca": certificates.authority,
        "ssl_cert": certificates.certificate,
        "ssl_key": certificates.key,
    }
    return DatabaseSettings.model_validate(values | changed)


def _read(spark: SparkSession, settings: DatabaseSettings, folder: Path) -> int:
    jdbc = Jdbc(spark, settings, tls=tls_properties(settings, "", folder))
    return jdbc.read(cdr, [Cdr.RECORD_ID], DAYS, cdr.c[Cdr.DATE]).count()


def test_spark_reads_by_tls_only_and_only_from_a_trusted_server(
    spark: SparkSession, server: TemporaryDatabase, certificates: Certificates, tmp_path: Path
) -> None:
    settings = _settings(server, certificates)
    engine = migrated(make_engine(settings))
    with engine.connect() as connection:
        assert connection.execute(select(cdr.c[Cdr.RECORD_ID])).all() == []
    engine.dispose()
    assert _read(spark, settings, tmp_path) == 0
    assert (tmp_path / "client.p12").stat().st_mode & 0o077 == 0
    foreign = make_certificates(tmp_path / "other", datetime.now(UTC))
    for wrong, words in (
        ({"ssl_ca": foreign.authority}, "PKIX path"),
        ({"host": "localhost"}, "hostname verification"),
    ):
        with pytest.raises(Py4JJavaError, match=words):
            _read(spark, _settings(server, certificates, **wrong), tmp_path)


def test_options_cannot_weaken_the_verification(certificates: Certificates, tmp_path: Path) -> None:
    settings = DatabaseSettings.model_validate({"user": "u", "password": "p", "ssl_ca": certificates.authority})
    assert tls_properties(settings, "connectTimeout=5", tmp_path)["sslMode"] == "verify-full"
    with pytest.raises(InvalidInput, match="must not say how certificates are checked"):
        tls_properties(settings, "connectTimeout=5&sslMode=trust", tmp_path)
