"""Reading the markers ends, also where the broker gives nothing."""

from typing import Any

import pytest
from kafka import TopicPartition

from driftline.errors import KafkaUnavailable
from driftline.publishing import kafka_python_publisher
from driftline.publishing.kafka_python_publisher import _read_all

POLLS = 5
"""So often a reader may ask in vain before this test counts it as endless."""


class SilentConsumer:
    """A consumer with one message to read whose broker never gives it."""

    def __init__(self) -> None:
        self.polls = 0

    def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        """Take the partitions."""

    def position(self, partition: TopicPartition) -> int:
        """Stay at the beginning."""
        return 0

    def poll(self, **options: Any) -> dict[TopicPartition, list[Any]]:
        """Give nothing."""
        self.polls += 1
        assert self.polls < POLLS, "the reading goes on for ever"
        return {}


def test_missing_markers_are_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_python_publisher, "OPEN_SECONDS", -1.0)
    with pytest.raises(KafkaUnavailable, match="in time"):
        list(_read_all(SilentConsumer(), {TopicPartition("markers", 0): 1}))
