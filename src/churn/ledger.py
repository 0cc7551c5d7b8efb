"""What the example's batches are called in the ledger. No I/O here."""

from enum import StrEnum

SIMULATED = ("history/", "stream/")
"""Prefixes of the ids of batches with simulated records; those of a raw data file have other ones."""

RELAY = "relay"
"""The consumer that publishes batches of records to Kafka."""
PREDICTION_TOPIC = "prediction-topic"
"""The consumer that publishes batches of live predictions to Kafka."""


class ChurnBatchKind(StrEnum):
    """What a batch of the example carries, besides predictions and labels."""

    HISTORY = "history"
    RECORDS = "records"
    PROCESSED = "processed"
