"""Reads the newest scored beats of the topic `ecg_scored`."""

import json
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from examples.ecg.steps import SCORED

BEATS, SECONDS = 20, 10


def newest_beats(bootstrap_servers: str) -> list[dict[str, Any]]:
    """Return the newest scored beats, the newest first, by a consumer of this call: sessions run in threads."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "ecg-dashboard", "log_level": 3})
    try:
        start, end = consumer.get_watermark_offsets(TopicPartition(SCORED, 0), SECONDS)
        if end == start:
            return []
        consumer.assign([TopicPartition(SCORED, 0, max(start, end - BEATS))])
        messages = consumer.consume(min(BEATS, end - start), SECONDS)
        return [json.loads(message.value()) for message in reversed(messages) if not message.error()]
    finally:
        consumer.close()
