"""Replays days of an index into the topic `dse_index_data`, one message for each day, in order."""

import json

import pandas as pd
from confluent_kafka import KafkaError, KafkaException, Producer

TOPIC = "dse_index_data"
SECONDS = 60


def replay(days: pd.DataFrame, bootstrap_servers: str) -> int:
    """Send days, acknowledged and in order, and return how many; days that were sent before are sent again.

    Raises:
        KafkaException: the broker has not acknowledged all of them.
    """
    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "log_level": 3})
    for day in days.to_dict("records"):
        key = f"{day['date']:%Y-%m-%d}"
        message = {name: _value(value) for name, value in day.items()} | {"date": key}
        producer.produce(TOPIC, json.dumps(message), key)
        producer.poll(0)
    if waiting := producer.flush(SECONDS):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{waiting} days were not acknowledged"))
    return len(days)


def _value(value: float) -> float | None:
    return None if pd.isna(value) else value
