"""The Hudi tables of the lakehouse: changes that come late or again, a new column, a job that is killed, the upkeep."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka import Producer

from examples.lakehouse.hudi.step import command, output
from stack import paths
from stack.testing.fixtures import FreshTopic
from stack.testing.object_servers import TemporaryS3
from tests.unit.examples.order_changes import Change, Order, delivered, orders_after, random_transactions

SEED, TRANSACTIONS, ORDERS, MOST, KILLS = 7, 160, 60, 180, 3
DEADLINE = 1_200
TABLES = ("orders_cow", "orders_mor")


def test_tables_equal_the_source_after_kills(
    kafka: str, fresh_topic: FreshTopic, s3: TemporaryS3, s3_bucket: str, tmp_path: Path
) -> None:
    generator = random.Random(SEED)
    transactions = random_transactions(generator, TRANSACTIONS, ORDERS)
    changes = [change for changes in transactions for change in changes]
    topic = fresh_topic()
    batches = send(kafka, topic, delivered(generator, transactions))
    program = command(s3_bucket, kafka, tmp_path, topic)
    for _ in range(KILLS):
        tables = s3.buckets / s3_bucket.removeprefix("s3://") / "hudi"
        kill_while_writing((*program, "write", "--most", f"{MOST}", "--every", "1"), tables, generator.randrange(1, 6))

    source = orders_after(changes)
    printed = output((*program, "write", "show", "rows", "--most", f"{MOST}", "--folder", str(tmp_path)), os.environ)
    assert [stored_orders(tmp_path / table) for table in TABLES] == [source, source]
    deleted = len({change.order for change in changes}) - len(source)
    assert deleted
    for table in TABLES:
        assert f"{table}: {len(source)} orders, {deleted} deleted; " in printed
    shows_history(printed, batches, changes)

    upkeep = ("compact", "forget", "rows", "show", "--days", "0", "--folder", str(tmp_path / "after"))
    printed = output((*program, *upkeep), os.environ)
    assert re.search(r"orders_mor: [1-9]\d* logs before the compaction, 0 after it", printed)
    for table in TABLES:
        assert f"{table}: {deleted} deletions forgotten" in printed
        assert f"{table}: {len(source)} orders, 0 deleted; " in printed
        assert stored_orders(tmp_path / "after" / table) == source


def send(kafka: str, topic: str, changes: Sequence[Change]) -> list[list[Change]]:
    """Send changes, a deletion with the null that follows it, and return those of each batch."""
    messages = [(change, value) for change in changes for value in (change.value, None) if value or not change.after]
    producer = Producer({"bootstrap.servers": kafka})
    for change, value in messages:
        producer.produce(topic, value, change.key)
    assert producer.flush(60) == 0
    cuts = range(0, len(messages), MOST)
    return [[change for change, value in messages[cut : cut + MOST] if value] for cut in cuts]


def kill_while_writing(program: Sequence[str], tables: Path, files: int) -> None:
    """Run a program, and kill it when so many files have been added to the timelines of the tables."""
    enough = timeline_files(tables) + files
    deadline = time.monotonic() + DEADLINE
    with subprocess.Popen(program, cwd=paths.ROOT, start_new_session=True, stderr=subprocess.PIPE) as process:
        while timeline_files(tables) < enough and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        ended = process.poll()
        os.killpg(process.pid, signal.SIGKILL)
        assert ended is None, process.communicate()[1]
    assert timeline_files(tables) >= enough


def timeline_files(tables: Path) -> int:
    """Return how many files record what was begun or done in the tables."""
    return sum(path.is_file() for path in tables.glob("*/.hoodie/timeline/*"))


def shows_history(printed: str, batches: list[list[Change]], changes: list[Change]) -> None:
    """Compare the first instant, and what has changed since then, with the first batch of messages."""
    numbers = {change.value: number for number, change in enumerate(changes)}
    first = sorted({numbers[change.value] for change in batches[0]})
    earlier = orders_after(changes[number] for number in first)
    assert [int(count) for count in re.findall(r"as of \d+: (\d+) orders", printed)] == [len(earlier)] * 2
    newest = {change.order: number for number, change in enumerate(changes)}
    replaced = {order for order, number in newest.items() if number not in first}
    for new, deleted in re.findall(r"since then: (\d+) orders new or changed, (\d+) deleted", printed):
        # A batch that was written again after a kill counts as a change of its orders.
        assert len(replaced) <= int(new) + int(deleted) <= len(newest)


def stored_orders(folder: Path) -> dict[int, Order]:
    """Return the orders in a folder of Parquet files."""
    return {row["id"]: row for row in pq.read_table(folder).to_pylist()}
