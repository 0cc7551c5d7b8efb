"""The one-off steps of the compose file, on real servers: they set up and say what comes next."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest
from confluent_kafka.admin import AdminClient

from churn.columns import Topic
from stack.containers import steps as containers
from stack.services.accounts import ACCOUNTS
from stack.services.credentials import Credentials
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase

SCHEMA = "RuncContainer"


@pytest.fixture
def var(
    mariadb_session: TemporaryDatabase, kafka_session: TemporaryBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    """The folder of local state of containers whose settings and secrets are those of the compose file."""
    secrets = tmp_path / "secrets"
    for account in ACCOUNTS:
        Credentials(secrets).password(account)
    (secrets / "db_password").write_text(mariadb_session.password)
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    for name, value in {
        "DRIFTLINE_SECRETS": secrets,
        "DRIFTLINE_VAR": tmp_path / "var",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": mariadb_session.port,
        "DB_USER": "root",
        "DB_NAME": SCHEMA,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_session.bootstrap_servers,
    }.items():
        monkeypatch.setenv(name, str(value))
    yield tmp_path / "var"
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        for schema in (SCHEMA, f"{SCHEMA}_truth"):
            cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
        for account in ACCOUNTS:
            cursor.execute("DROP USER IF EXISTS %s@'%%'", (account,))


@pytest.mark.usefixtures("var")
def test_users_connect_from_any_host_with_their_own_rights(
    mariadb_session: TemporaryDatabase, kafka_session: TemporaryBroker, tmp_path: Path
) -> None:
    assert [containers.main(["provision"]), containers.main(["provision"])] == [0, 0]
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT User, Host FROM mysql.user WHERE User LIKE 'driftline\\_%'")
        assert {*cursor.fetchall()} == {(account, "%") for account in ACCOUNTS}
    password = Credentials(tmp_path / "secrets").password("driftline_monitor")
    connected = pymysql.connect(
        host="127.0.0.1", port=mariadb_session.port, user="driftline_monitor", password=password, database=SCHEMA
    )
    with connected, connected.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pending_batches")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute(f"SHOW TABLES IN {SCHEMA}_truth")
    topics = AdminClient({"bootstrap.servers": kafka_session.bootstrap_servers}).list_topics(timeout=20).topics
    assert {*Topic} <= {*topics}


def test_a_plan_is_kept_and_names_the_history_to_load(var: Path) -> None:
    assert containers.main(["plan"]) == 0
    first = (var / "plan" / "history").read_text()
    assert containers.main(["plan"]) == 0
    assert (var / "plan" / "history").read_text() == first
    assert first.split()[:4] == ["--days", "90", "--subscribers", "1000"]
    assert json.loads((var / "demo.json").read_text())["history_last"] < datetime.now(UTC).date().isoformat()


def test_without_a_history_there_are_no_days(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [containers.main(["provision"]), containers.main(["plan"]), containers.main(["days"])] == [0, 0, 2]
    assert "No history is loaded" in capsys.readouterr().err
    assert not (var / "plan" / "history_days").exists()


def test_an_unreachable_server_is_one_message(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DB_PORT", "1")
    assert containers.main(["provision"]) == 2
    assert "provision: " in capsys.readouterr().err
    assert not var.exists()
