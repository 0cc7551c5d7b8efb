"""Replays days of an index into the topic `dse_index_data`, one message for each day, in order."""

import json

import pandas as pd
from confluent_kafka import KafkaError, KafkaException, Producer

from examples.dse.topic_days import SECONDS, TOPIC, days_not_in, read_days


def replay(days: pd.DataFrame, bootstrap_servers: str) -> int:
    """Send the days that the topic does not have yet, acknowledged and in order, and return how many.

    Raises:
        KafkaException: the broker has not acknowledged all of them.
    """
    new = days_not_in(read_days(bootstrap_servers), days)
    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "log_level": 3})
    for day in new.to_dict("records"):
        key = f"{day['date']:%Y-%m-%d}"
        message = {name: _value(value) for name, value in day.items()} | {"date": key}
        producer.produce(TOPIC, json.dumps(message), key)
        producer.poll(0)
    if waiting := producer.flush(SECONDS):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{waiting} days were not acknowledged"))
    return len(new)


def _value(value: float) -> float | None:
    return None if pd.isna(value) else value
