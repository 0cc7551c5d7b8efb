"""Scores the beats of the topic with the champion, and logs predictions to the monitor; offsets are kept in the group.

An offset is committed after the monitor has stored what was predicted up to it. A program that is killed in between
predicts the same beats again under the same ids, which the monitor recognizes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from driftline.client import Monitor
from examples.ecg.models.classifiers import Classifier, predicted
from examples.ecg.record.features import features_of
from examples.ecg.steps import BEATS, CLASSES, SCORED
from examples.ecg.stream.streaming import QUIET, SECONDS, flush, send

GROUP, MOST_BEATS = "ecg-scoring", 500
"""The consumer group, and the beats that are scored at once."""


@dataclass(frozen=True)
class BeatScoring:
    """What a batch of beats needs: the model, the client of the monitor, and a producer for the topic of results."""

    model: Classifier
    monitor: Monitor
    producer: Producer

    def score(self, beats: list[dict[str, Any]]) -> None:
        """Predict a batch, log it, and publish it to the topic of results.

        Raises:
            RuntimeError: the monitor has not stored all of it.
        """
        samples, interval, ratio = (np.array([beat[name] for beat in beats]) for name in ("samples", "rr", "rr_ratio"))
        features = features_of(samples, interval, ratio)
        probabilities = self.model.probabilities(features)
        for beat, row, scores, prediction in zip(
            beats, features.to_dict("records"), probabilities.tolist(), predicted(probabilities).tolist(), strict=True
        ):
            by_class = dict(zip(CLASSES, scores, strict=True))
            self.monitor.log(
                {str(name): value for name, value in row.items()},
                prediction,
                by_class,
                id=beat["id"],
                at=datetime.fromisoformat(beat["at"]),
            )
            send(self.producer, SCORED, {**beat, "prediction": prediction, "probability": by_class})
        if not self.monitor.flush(timeout=120) or self.monitor.status().refused_batches:
            raise RuntimeError(f"The monitor has not stored the batch of {beats[0]['id']}: {self.monitor.status()}.")
        flush(self.producer)


def score_stream(scoring: BeatScoring, bootstrap_servers: str) -> int:
    """Score all beats that the topic has now, from the kept offset on, and return how many."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": GROUP, "enable.auto.commit": False, **QUIET}
    )
    try:
        scored = 0
        for messages in _batches(consumer):
            scoring.score([json.loads(message.value()) for message in messages])
            consumer.commit(messages[-1], asynchronous=False)
            scored += len(messages)
        return scored
    finally:
        consumer.close()


def _batches(consumer: Consumer) -> Iterator[list[Message]]:
    """Yield messages from the group's offset to the present end of the topic."""
    partition = TopicPartition(BEATS, 0)
    _, end = consumer.get_watermark_offsets(partition, SECONDS)
    (kept,) = consumer.committed([partition], SECONDS)
    position = max(kept.offset, 0)
    consumer.assign([TopicPartition(BEATS, 0, position)])
    while position < end:
        messages = consumer.consume(min(MOST_BEATS, end - position), SECONDS)
        if not messages:
            raise RuntimeError(f"No message of {BEATS} came within {SECONDS} s; offset {position} of {end}.")
        if faults := [message.error() for message in messages if message.error()]:
            raise KafkaException(faults[0])
        position = messages[-1].offset() + 1
        yield messages
