"""The days that the topic `dse_index_data` has; as a program it adds them to the days of training."""

import argparse
import json
import logging
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pandas as pd
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from driftline import DriftlineError
from examples.dse.index_file import COLUMNS, read_index
from examples.dse.training import DAYS
from examples.entry_points import run_main

LOGGER = logging.getLogger(__name__)
TOPIC = "dse_index_data"
NUMBERS = tuple(name for name in COLUMNS if name != "date")
SECONDS, MOST_MESSAGES = 60, 1_000
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2199, 12, 31)
LEFT_OUT = (
    "The message at offset %d of %s is left out: it has no date of 1900 to 2199, or no close above 0; send it again."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Add the days of the topic to `training.csv` of a folder; those that it has stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m examples.dse.topic_days", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="the folder with training.csv")
    file: Path = parser.parse_args(arguments).folder / DAYS
    bootstrap_servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if not bootstrap_servers:
        parser.error("KAFKA_BOOTSTRAP_SERVERS is not set; set it to the address of Kafka, such as 127.0.0.1:9092")
    sys.stdout.write(f"{add_to_file(file, read_days(bootstrap_servers)):,} days added to {file}.\n")
    return 0


def add_to_file(file: Path, days: pd.DataFrame) -> int:
    """Add the days that a file does not have, replacing it as a whole, and return how many."""
    present = read_index(file)
    new = days_not_in(present, days)
    if len(new):
        staged = file.with_suffix(".partial")
        pd.concat([present, new]).sort_values("date").to_csv(staged, index=False)
        staged.replace(file)
    return len(new)


def days_not_in(present: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Return the days whose date is not among those that are present."""
    return days[~days["date"].isin(present["date"])]


def read_days(bootstrap_servers: str) -> pd.DataFrame:
    """Return the days of the topic, oldest first; of several messages about one day, the first.

    Raises:
        KafkaException: the broker does not answer, or the topic is missing.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "dse-topic-days", "log_level": 3})
    try:
        return days_of(_messages(consumer))
    finally:
        consumer.close()


def days_of(messages: Iterable[tuple[int, bytes | None]]) -> pd.DataFrame:
    """Return the days of messages, given with their offsets; log and leave out those that are not a day."""
    days: dict[date, list[float | None]] = {}
    for offset, value in messages:
        day = _day(value)
        if day is None:
            LOGGER.warning(LEFT_OUT, offset, TOPIC)
        else:
            days.setdefault(*day)
    numbers = pd.DataFrame([*days.values()], columns=list(NUMBERS), dtype=float)
    numbers.insert(0, "date", pd.to_datetime([*days]))
    return numbers.sort_values("date", ignore_index=True)


def _day(value: bytes | None) -> tuple[date, list[float | None]] | None:
    """Return the date and the numbers of a message; None if it is not a day with a close."""
    try:
        message = json.loads(value or b"null")
        day = date.fromisoformat(message["date"])
        numbers = [None if message.get(name) is None else float(message[name]) for name in NUMBERS]
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    close = numbers[NUMBERS.index("close")] or 0.0
    return (day, numbers) if FIRST_DATE <= day <= LAST_DATE and 0 < close < math.inf else None


def _messages(consumer: Consumer) -> Iterator[tuple[int, bytes | None]]:
    """Yield offset and value of each message that the topic has now."""
    start, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), SECONDS)
    consumer.assign([TopicPartition(TOPIC, 0, start)])
    while start < end:
        messages: list[Message] = consumer.consume(min(MOST_MESSAGES, end - start), SECONDS)
        if not messages:
            raise OSError(f"No message of {TOPIC} came within {SECONDS} s; offset {start} of {end}.")
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            yield int(message.offset() or 0), message.value()
        start = int(messages[-1].offset() or 0) + 1


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError, KafkaException))
