"""Streams the beats of simulated days into the topic `ecg_beats`, one message for each beat, in order."""

import json
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from examples.ecg.steps import BEATS
from examples.ecg.stream.days import BeatDay

SECONDS = 60
QUIET = {"log_level": 3}


def stream(days: Iterator[BeatDay], bootstrap_servers: str) -> int:
    """Send the beats that the topic does not have yet, acknowledged and in order, and return how many.

    Raises:
        KafkaException: the broker has not acknowledged all of them.
    """
    sent_before = messages_in(BEATS, bootstrap_servers)
    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, **QUIET})
    number = 0
    for number, message in enumerate((message for day in days for message in messages_of(day)), start=1):
        if number > sent_before:
            send(producer, BEATS, message)
    flush(producer)
    return max(0, number - sent_before)


def messages_of(day: BeatDay) -> Iterator[dict[str, Any]]:
    """Yield what the sensor sends: id, instant, intervals and 187 values in mV; what the beat is, nobody knows yet."""
    for number, (beat_id, instant) in enumerate(zip(day.ids, day.instants, strict=True)):
        yield {
            "id": beat_id,
            "at": instant.isoformat(),
            "rr": day.beats.intervals[number],
            "rr_ratio": day.beats.ratios[number],
            "samples": day.beats.samples[number].tolist(),
        }


def send(producer: Producer, topic: str, message: dict[str, Any]) -> None:
    """Put a message into the producer's queue; wait while it is full."""
    value = json.dumps(message)
    while True:
        try:
            producer.produce(topic, value, message["id"])
        except BufferError:
            producer.poll(1)
        else:
            producer.poll(0)
            return


def flush(producer: Producer) -> None:
    """Wait until the broker has acknowledged all messages; raise `KafkaException` if it has not."""
    if waiting := producer.flush(SECONDS):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{waiting} messages were not acknowledged"))


def messages_in(topic: str, bootstrap_servers: str) -> int:
    """Return how many messages a topic of one partition was sent."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "ecg-watermark", **QUIET})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), SECONDS)
        return int(end)
    finally:
        consumer.close()
