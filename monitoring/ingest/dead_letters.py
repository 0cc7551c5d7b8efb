"""Publishes messages that cannot be stored to a topic of their own, with the reason."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer

from driftline.errors import KafkaUnavailable
from driftline.ingest.messages import DeadLetter

FLUSH_SECONDS = 30.0
REASON, ORIGIN = "driftline-reason", "driftline-origin"
"""The headers of a dead letter: why it was not stored, and its topic, partition and offset."""


class DeadLetterTopic:
    """Publishes dead letters; a message keeps its key and its value."""

    def __init__(self, topic: str, options: dict[str, Any]) -> None:
        """Take the topic, and the options of a client; nothing is sent."""
        self.topic = topic
        self._producer = Producer({**options, "enable.idempotence": True, "log_level": 0})

    def publish(self, letters: Sequence[DeadLetter]) -> None:
        """Publish and wait until the broker has stored all of them.

        Raises:
            KafkaUnavailable: it did not within 30 s; some may be stored.
        """
        failures: list[object] = []
        try:
            for letter in letters:
                message = letter.message
                origin = f"{message.topic}/{message.partition}/{message.offset}"
                headers = {REASON: letter.reason.encode(), ORIGIN: origin.encode()}
                self._producer.produce(
                    self.topic, message.value, message.key, headers=headers, on_delivery=lambda e, _: failures.append(e)
                )
                self._producer.poll(0)
            left = self._producer.flush(FLUSH_SECONDS)
        except (KafkaException, BufferError) as error:
            raise KafkaUnavailable from error
        if left or any(failures):
            raise KafkaUnavailable(f"Kafka did not store the messages for topic {self.topic}; check that it exists.")
