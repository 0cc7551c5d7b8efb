"""Tables of a real server end in rows: each once, whatever commits late, changes, is faulty or is killed."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, make_url, select, text

from driftline.clock import utc_now
from driftline.errors import InvalidInput, NotFound
from driftline.ingest.ingestion import Ingestion
from driftline.store.sources.ingest_log import IngestState, LogFilter
from driftline.store.tables import labels as labels_table
from driftline.store.tables import predictions
from monitoring.ingest.sql_config import sources_of
from monitoring.ingest.sql_source import SqlRowCounts, SqlSource
from monitoring.ingest.sql_table import SourceUnavailable
from stack import paths
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import make_ingestion
from tests.integration.monitoring.world import NAME

BOTH_SERVERS = pytest.mark.parametrize("database", ["mariadb", "mysql"], indirect=True)
SCORES = {
    "name": "scores", "model": NAME, "table": "scores", "rows": "both", "key": "code", "time": "scored_at",
    "updated_at": "changed_at", "columns": {"probability_1": "p", "label": "late"}, "batch_rows": 4,
}  # fmt: skip
TABLE = """
CREATE TABLE scores (
    code VARCHAR(40) PRIMARY KEY, scored_at DATETIME NOT NULL, changed_at TIMESTAMP(6) NULL, prediction BIT(1),
    p DECIMAL(6, 4), minutes DOUBLE, distance INT, carrier CHAR(2), late TINYINT, INDEX (changed_at, code)
)
"""
INSERT = text(
    "INSERT INTO scores VALUES (:code, '2026-02-03 04:05:06', :at, b'1', :p, 1.5, 7, 'AA', :late)"
    " ON DUPLICATE KEY UPDATE changed_at = VALUES(changed_at), p = VALUES(p), late = VALUES(late)"
)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> DatabaseAddress:
    """The schema of a test, on MariaDB unless the test names the server."""
    address = request.getfixturevalue(getattr(request, "param", "mariadb"))
    assert isinstance(address, DatabaseAddress)
    return address


@pytest.fixture
def ingestion(engine: Engine, tmp_path: Path) -> Ingestion:
    make_ingestion(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text(TABLE))
    return Ingestion(engine, utc_now)


@pytest.fixture
def url(database: DatabaseAddress) -> str:
    return f"mysql://{database.user}:{database.password}@{database.host}:{database.port}/{database.name}"


Opener = Callable[..., SqlSource]


@pytest.fixture
def source(ingestion: Ingestion, url: str) -> Opener:
    """A function that returns what reads the table, as a new process would."""

    def make(**changes: Any) -> SqlSource:
        (config,) = sources_of({"sources": [SCORES | changes]}, "sources.yaml")
        return SqlSource(config, SecretStr(url), ingestion)

    return make


def read(source: SqlSource, since: datetime | None = None) -> tuple[int, int]:
    counts: SqlRowCounts = source.read(Event(), since)
    return counts.rows, counts.refused


def add(connection: Connection, codes: str, at: datetime, late: int | None = None, p: float = 0.25) -> None:
    """Insert or change a row for each letter; all have the same time."""
    rows = [{"code": code, "at": at.replace(tzinfo=None), "late": late, "p": p} for code in codes]
    connection.execute(INSERT, rows)


def change(engine: Engine, codes: str, at: datetime, late: int | None = None, p: float = 0.25) -> None:
    with engine.begin() as connection:
        add(connection, codes, at, late, p)


def ids(engine: Engine) -> str:
    with engine.connect() as connection:
        return "".join(sorted(connection.execute(select(predictions.c.id)).scalars()))


def stored_labels(engine: Engine) -> dict[str, float]:
    with engine.connect() as connection:
        pairs = connection.execute(select(labels_table.c.id, labels_table.c.value)).all()
    return {name: float(value) for name, value in pairs}


def ago(**duration: float) -> datetime:
    return datetime.now(UTC) - timedelta(**duration)


@BOTH_SERVERS
def test_a_table_and_a_query_end_in_rows_once(engine: Engine, source: Opener) -> None:
    """More rows have one time than are in a page."""
    change(engine, "abcdefghijk", ago(hours=2))
    change(engine, "lmn", ago(hours=1), late=1)
    first = source()
    assert [read(first), read(first), read(source())] == [(17, 0), (0, 0), (6, 0)]  # the last three again: the overlap
    assert ids(engine) == "abcdefghijklmn"
    assert stored_labels(engine) == dict.fromkeys("lmn", 1.0)
    query = "SELECT *, '12:30' AS x, '50%' FROM scores WHERE code LIKE '%' -- all;"
    queried = source(name="queried", table=None, query=query, rows="predictions")
    assert (queried.check(), read(queried)) == (4, (14, 0))
    assert ids(engine) == "abcdefghijklmn"
    with engine.connect() as connection:
        (row,) = connection.execute(select(predictions.c.event_time).distinct()).all()
    assert row.event_time.isoformat() == "2026-02-03T04:05:06"


def test_rows_that_commit_late_are_read_within_the_overlap(engine: Engine, source: Opener) -> None:
    """Beyond the overlap they are missed, until somebody reads from an earlier time on."""
    reader, now = source(), ago()
    with engine.connect() as open_one, open_one.begin():
        add(open_one, "l", now - timedelta(minutes=9))
        change(engine, "ab", now)
        assert read(reader) == (2, 0)
    assert read(reader) == (1, 0)
    change(engine, "m", now - timedelta(minutes=11))
    assert (read(reader), ids(engine)) == ((0, 0), "abl")
    assert (read(reader, now - timedelta(minutes=20)), ids(engine)) == ((1, 0), "ablm")


def test_rows_of_the_future_hide_no_others(engine: Engine, source: Opener) -> None:
    reader = source()
    change(engine, "f", ago(days=-300))
    assert read(reader)[0] == 1
    change(engine, "ab", ago(minutes=1))
    assert read(reader)[0] == 2


def test_labels_that_become_known_later_are_read_and_may_change_back(engine: Engine, source: Opener) -> None:
    reader = source()
    change(engine, "ab", ago(hours=3))
    read(reader)
    for minute, late in ((5, 1), (4, 0), (3, 1), (2, 0)):
        change(engine, "a", ago(minutes=minute), late=late)
        assert read(reader) == (1, 0)
        assert stored_labels(engine) == {"a": late}
    change(engine, "a", ago(minutes=1), late=1)
    assert read(source())[1] == 0
    assert stored_labels(engine) == {"a": 1.0}


def test_what_a_table_does_not_tell_is_not_seen(engine: Engine, source: Opener) -> None:
    """An update without a new time is not seen after the overlap, and a deleted row stays."""
    change(engine, "ab", ago(hours=3))
    change(engine, "c", ago(minutes=20))
    read(source())
    with engine.begin() as connection:
        connection.execute(text("UPDATE scores SET late = 1 WHERE code = 'a'"))
        connection.execute(text("DELETE FROM scores WHERE code = 'b'"))
    assert read(source()) == (1, 0)  # c again
    assert (stored_labels(engine), ids(engine)) == ({}, "abc")


def test_faulty_rows_are_refused_once_and_keep_no_others_back(
    engine: Engine, ingestion: Ingestion, source: Opener
) -> None:
    reader = source()
    change(engine, "abc", ago(minutes=4))
    change(engine, "d", ago(minutes=3), p=7)
    change(engine, "e", ago(minutes=3), late=5)
    assert read(reader) == (4, 2)
    change(engine, "b", ago(minutes=2), p=0.5)  # another content of a stored prediction
    assert read(reader) == (0, 1)
    assert read(reader) == (0, 0)
    assert (ids(engine), stored_labels(engine)) == ("abce", {})
    refused = ingestion.log(NAME, 9, LogFilter(state=IngestState.REFUSED))
    reasons = {(entry.reason or "").split(":")[0]: entry.reason or "" for _, entry in refused}
    assert len(refused) == 3
    assert {entry.caller for _, entry in refused} == {"sql/scores"}
    assert "outside 0 to 1" in reasons["The row with the key 'd'"]
    assert "not a class of the model" in reasons["The row with the key 'e'"]
    assert "stored with different content" in reasons["The row with the key 'b'"]
    change(engine, "d", ago(minutes=1), p=0.7)
    assert (read(reader), ids(engine)) == ((1, 0), "abcde")
    unknown = source(name="other", model="unknown")
    with pytest.raises(NotFound):
        read(unknown)
    assert unknown._position() is None


def test_a_reader_that_was_overtaken_still_stores_what_it_read(engine: Engine, source: Opener) -> None:
    """The other may have read the table before a row was committed that this one has."""
    slow, fast = source(), source()
    change(engine, "a", ago(hours=1))
    reader = slow._reader()
    (page,) = slow._table.pages(reader.names, None)
    change(engine, "z", ago(minutes=1))
    read(fast)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM predictions"))
    counts, position = slow._store(reader, page.rows, None, page.last)
    assert (counts.rows, position) == (1, slow._position())


@BOTH_SERVERS
def test_the_query_only_reads_and_takes_no_longer_than_it_may(engine: Engine, source: Opener, url: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA"
                " BEGIN INSERT INTO scores (code, scored_at) VALUES ('w', NOW()); RETURN 1; END"
            )
        )
    change(engine, "a", ago(hours=1))
    writing = source(
        table=None, query="SELECT s.*, writes() AS carrier2 FROM scores s", columns={"carrier": "carrier2"}
    )
    with pytest.raises((SourceUnavailable, InvalidInput), match="READ ONLY"):
        read(writing)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT code FROM scores")).scalars().all() == ["a"]
    slow = source(table=None, query="SELECT s.*, SLEEP(9) AS x FROM scores s WHERE SLEEP(9) = 0", timeout_seconds=1)
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"did not answer within 1 s; add an index on \(changed_at, code\)"):
        read(slow)
    assert time.monotonic() - started < 8
    with pytest.raises(SourceUnavailable, match="nothing"):
        read(source(table="nothing"))
    with pytest.raises(InvalidInput, match="not the address of a schema of MySQL") as error:
        SqlSource(slow.config, SecretStr(url.replace("mysql", "postgresql")), slow.ingestion)
    assert str(make_url(url).password) not in str(error.value)


@pytest.mark.kills
def test_processes_that_are_killed_lose_and_double_nothing(
    engine: Engine, ingestion: Ingestion, database: DatabaseAddress, url: str, tmp_path: Path
) -> None:
    """Two processes are killed while they read; the third finishes."""
    rows: list[dict[str, Any]] = [
        {"code": f"{n:03}", "at": ago(minutes=400 - n).replace(tzinfo=None), "late": n % 2, "p": 0.25}
        for n in range(300)
    ]
    with engine.begin() as connection:
        connection.execute(INSERT, rows)
    file = tmp_path / "sources.yaml"
    file.write_text(yaml.safe_dump({"sources": [SCORES | {"batch_rows": 3}]}))
    environment = os.environ | database.environment() | {"INGEST_SQL_URL": url}
    command = [sys.executable, "-m", "monitoring.ingest", "sql", str(file)]
    for least in (60, 150):
        process = subprocess.Popen(command, env=environment, cwd=paths.ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(stored_labels(engine)) < least and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
    assert 150 <= len(stored_labels(engine)) < 300
    subprocess.run([*command, "--once"], env=environment, cwd=paths.ROOT, check=True, capture_output=True)
    assert stored_labels(engine) == {row["code"]: float(row["late"]) for row in rows}
    with engine.connect() as connection:
        assert sorted(connection.execute(select(predictions.c.id)).scalars()) == [row["code"] for row in rows]
    assert ingestion.log(NAME, 9, LogFilter(state=IngestState.REFUSED)) == []


SHOP = """
CREATE TABLE scores (
    score_id VARCHAR(40) PRIMARY KEY, scored_at DATETIME, changed_at TIMESTAMP(6) NULL, p_churn DOUBLE,
    has_left TINYINT, prediction BIT(1), minutes DOUBLE, distance INT, carrier CHAR(2), INDEX (changed_at, score_id)
);
CREATE TABLE labels (day DATE, customer INT, label TINYINT);
CREATE TABLE customers (id INT, left_at DATETIME);
INSERT INTO scores VALUES ('a', '2026-02-03', '2026-02-04', 0.5, NULL, b'1', 1.5, 7, 'AA');
INSERT INTO labels VALUES ('2026-01-31', 17, 1);
INSERT INTO customers VALUES (17, '2026-02-05')
"""


@pytest.fixture
def shop(engine: Engine, database: DatabaseAddress) -> Iterator[str]:
    """A schema with the tables of the how-to page."""
    name = f"{database.name}_shop"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"USE {name}"))
        for statement in SHOP.split(";"):
            connection.execute(text(statement))
        connection.execute(text(f"USE {database.name}"))
    yield name
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))


def test_the_commands_of_the_how_to_page_work(
    engine: Engine, ingestion: Ingestion, database: DatabaseAddress, url: str, shop: str, tmp_path: Path
) -> None:
    """The tables, the model and the addresses are the test's; the last command runs until it is told to stop."""
    page = (paths.ROOT / "docs" / "how-to" / "ingest-from-sql.md").read_text()
    (config,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (script,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    endless = ".venv/bin/python -m monitoring.ingest sql sources.yaml"
    replaced = {
        "model: churn": f"model: {NAME}",
        "shop.": f"{shop}.",
        "churned: has_left, score:": "label: has_left, probability_1:",
        'eval "$(.venv/bin/python -m stack env monitor)"': "",
        "mysql://reader:PASSWORD@127.0.0.1:3306/shop": url.replace(database.name, shop),
        f"{endless}\n": f"exec {endless}",
    }
    for shown, used in replaced.items():
        assert shown in config + script, shown
        config, script = config.replace(shown, used), script.replace(shown, used)
    (tmp_path / "sources.yaml").write_text(config)
    for name in (".venv", "src", "monitoring"):
        (tmp_path / name).symlink_to(paths.ROOT / name)
    environment = os.environ | database.environment() | {"PYTHONPATH": str(paths.ROOT)}
    process = subprocess.Popen(
        ["bash", "-euc", script], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while (not ids(engine) or not stored_labels(engine)) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        messages = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 0, messages
    assert (ids(engine), stored_labels(engine)) == ("a", {"2026-01-31/17": 1.0}), messages
    assert ingestion.log(NAME, 9, LogFilter(state=IngestState.REFUSED)) == []
    assert messages.count("the first 1 rows are valid") == 2
