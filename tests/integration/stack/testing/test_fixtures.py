"""The fixtures give what they promise: separate schemas on both servers, and topics on a real broker."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest
from confluent_kafka import Consumer, Producer

from stack.java import java
from stack.servers import class_archive
from stack.servers import kafka as kafka_server
from stack.testing.fixtures import DatabaseAddress, FreshTopic
from stack.testing.temporary_servers import mariadb_server


def connect(address: DatabaseAddress) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, database=address.name
    )


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_gets_an_empty_schema(database: DatabaseAddress, again: int) -> None:
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == ()
        cursor.execute("CREATE TABLE leftover (id INT PRIMARY KEY)")


def test_servers_are_strict(database: DatabaseAddress) -> None:
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE strict (value TINYINT)")
        with pytest.raises(pymysql.err.DataError):
            cursor.execute("INSERT INTO strict VALUES (1000)")


def test_nobody_gets_in_without_the_password(database: DatabaseAddress) -> None:
    for user in ("root", ""):
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            pymysql.connect(host=database.host, port=database.port, user=user, password="")


def test_messages_come_back(kafka: str, fresh_topic: FreshTopic) -> None:
    topic = fresh_topic(partitions=2, cleanup_policy="compact")
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, b"value", b"key")
    assert producer.flush(10) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert (message.key(), message.value()) == (b"key", b"value")


def test_a_broker_takes_its_classes_from_the_archive(kafka: str) -> None:
    assert kafka
    options = (*class_archive.reading(kafka_server.archive()), "-Xlog:class+load")
    command = (java(), *kafka_server.JVM, *options, *kafka_server.CLASSPATH, "kafka.Kafka", "--version")
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "kafka.Kafka source: shared objects file (top)" in output


def test_committed_rows_survive_a_kill(tmp_path: Path) -> None:
    with mariadb_server(tmp_path) as server:
        with server.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE kept")
            cursor.execute("CREATE TABLE kept.kept (id INT PRIMARY KEY)")
            cursor.execute("INSERT INTO kept.kept VALUES (1)")
        server.process.kill()
        server.process.start()
        with server.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM kept.kept")
            assert cursor.fetchall() == ((1,),)


PARENT = """
import sys
from pathlib import Path
from stack.testing.temporary_servers import mariadb_server
with mariadb_server(Path(sys.argv[1])) as server:
    print(server.process.pid, flush=True)
    sys.stdin.read()
"""


def test_a_server_dies_with_its_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        (sys.executable, "-c", PARENT, str(tmp_path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    assert parent.stdin
    with parent.stdin, parent.stdout:
        server = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        assert ended_within(server, 10)


def ended_within(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
