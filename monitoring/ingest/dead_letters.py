"""Publishes messages that cannot be stored to a topic of their own, with the reason."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from driftline.errors import KafkaUnavailable
from driftline.ingest.messages.message import DeadLetter

FLUSH_SECONDS = 30.0
LONGEST_REASON = 2_000
"""Bytes of a reason at most: it must not make the dead letter larger than a message may be."""
REASON, ORIGIN, OMITTED = "driftline-reason", "driftline-origin", "driftline-omitted-bytes"
"""The headers of a dead letter: why it was not stored, its topic, partition and offset, and the size of a value that
was too large to be kept."""


class DeadLetterTopic:
    """Publishes dead letters; a message keeps its key and its value, unless with the headers they are too large."""

    def __init__(self, topic: str, options: dict[str, Any]) -> None:
        """Take the topic, and the options of a client; nothing is sent."""
        self.topic = topic
        self._producer = Producer({**options, "enable.idempotence": True, "log_level": 0})

    def publish(self, letters: Sequence[DeadLetter]) -> None:
        """Publish and wait until the broker has stored all of them.

        A letter that the client or the broker finds too large is published without its key and its value, whose size
        is in a header; its origin says where to find the message.

        Raises:
            KafkaUnavailable: it did not within 30 s; some may be stored.
        """
        too_large = self._send(letters, with_content=True)
        if too_large and self._send(too_large, with_content=False):
            raise KafkaUnavailable(f"Topic {self.topic} takes no message of {LONGEST_REASON} bytes; raise its limit.")

    def _send(self, letters: Sequence[DeadLetter], *, with_content: bool) -> list[DeadLetter]:
        """Send letters and wait for them; return those that are too large."""
        failures: list[object] = []
        too_large: list[DeadLetter] = []

        def note(error: KafkaError | None, letter: DeadLetter) -> None:
            if error is None:
                return
            if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                too_large.append(letter)
            else:
                failures.append(error)

        try:
            for letter in letters:
                self._produce(letter, with_content, note)
                self._producer.poll(0)
            unsent = self._producer.flush(FLUSH_SECONDS)
        except (KafkaException, BufferError) as error:
            raise KafkaUnavailable from error
        if unsent or failures:
            raise KafkaUnavailable(f"Kafka did not store the messages for topic {self.topic}; check that it exists.")
        return too_large

    def _produce(
        self, letter: DeadLetter, with_content: bool, note: Callable[[KafkaError | None, DeadLetter], None]
    ) -> None:
        """Hand a letter to the client; `note` gets the outcome, at once where the client finds the letter too large."""
        message = letter.message
        origin = f"{message.topic}/{message.partition}/{message.offset}"
        headers = {REASON: _cut(letter.reason), ORIGIN: origin.encode()}
        content = (message.value, message.key)
        if not with_content:
            headers[OMITTED] = str(len(message.value or b"")).encode()
            content = (None, None)
        try:
            self._producer.produce(
                self.topic, *content, headers=headers, on_delivery=lambda error, _: note(error, letter)
            )
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise
            note(error.args[0], letter)


def _cut(reason: str) -> bytes:
    """Return the whole characters of a reason that fit."""
    return reason.encode(errors="replace")[:LONGEST_REASON].decode(errors="ignore").encode()
