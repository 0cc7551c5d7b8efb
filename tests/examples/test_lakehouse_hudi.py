"""The Hudi tables of the lakehouse: changes that come late or again, a new column, a job that is killed, the upkeep."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pyarrow.parquet as pq
from confluent_kafka import Producer

from examples.lakehouse.hudi.step import command, output
from stack import paths
from stack.servers.ports import any_free
from stack.testing.fixtures import FreshTopic
from stack.testing.object_servers import TemporaryS3
from tests.unit.examples.order_changes import Order, OrderChange, delivered, orders_after, random_transactions

SEED, TRANSACTIONS, ORDERS, MOST, KILLS = 7, 160, 60, 180, 2
CLEANED = 15
"""Transactions of as many writes or more, which are more than the cleaner keeps."""
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
    tables = s3.buckets / s3_bucket.removeprefix("s3://") / "hudi"
    port = any_free()
    run = (*program, "write", "--most", f"{MOST}", "--every", "1", "--metrics-port", f"{port}")
    for _ in range(KILLS):
        enough = timeline_files(tables) + generator.randrange(1, 6)
        kill_when(lambda least=enough: timeline_files(tables) >= least, run)  # type: ignore[misc]
    kill_when(lambda: 'lakehouse_messages_behind{sink="hudi"} 0.0' in metrics(port), run)

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


def test_tables_show_their_history_from_no_write_to_after_cleaning(
    kafka: str, fresh_topic: FreshTopic, tmp_path: Path
) -> None:
    topic = fresh_topic()
    changes = [change for changes in random_transactions(random.Random(SEED), CLEANED, ORDERS) for change in changes]
    send(kafka, topic, changes)
    program = command(str(tmp_path / "objects"), kafka, tmp_path, topic)
    printed = output((*program, "show", "compact", "write", "show", "--most", f"{len(changes) // CLEANED}"), os.environ)
    for table in TABLES:
        assert printed.count(f"{table}: there is no table in {tmp_path}") == 2
        assert re.search(rf"^{table}: {len(orders_after(changes))} orders, .* (1[5-9]|[2-9]\d) writes$", printed, re.M)
    assert len(re.findall(r"^  as of \d+: \d+ orders$", printed, re.M)) == 2


def send(kafka: str, topic: str, changes: Sequence[OrderChange]) -> list[list[OrderChange]]:
    """Send changes, a deletion with the null that follows it, and return those of each batch."""
    messages = [(change, value) for change in changes for value in (change.value, None) if value or not change.after]
    producer = Producer({"bootstrap.servers": kafka})
    for change, value in messages:
        producer.produce(topic, value, change.key)
    assert producer.flush(60) == 0
    cuts = range(0, len(messages), MOST)
    return [[change for change, value in messages[cut : cut + MOST] if value] for cut in cuts]


def kill_when(holds: Callable[[], bool], program: Sequence[str]) -> None:
    """Run a program, and kill it when a condition holds."""
    deadline = time.monotonic() + DEADLINE
    with subprocess.Popen(program, cwd=paths.ROOT, start_new_session=True, stderr=subprocess.PIPE) as process:
        try:
            while not (held := holds()) and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.02)
            ended = process.poll()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
        assert ended is None, process.communicate()[1]
    assert held


def metrics(port: int) -> str:
    """Return the metrics of the job, nothing until it serves them."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE) as answer:
            return str(answer.read().decode())
    except (URLError, ConnectionError):
        return ""


def timeline_files(tables: Path) -> int:
    """Return how many files record what was begun or done in the tables."""
    return sum(path.is_file() for path in tables.glob("*/.hoodie/timeline/*"))


def shows_history(printed: str, batches: list[list[OrderChange]], changes: list[OrderChange]) -> None:
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
