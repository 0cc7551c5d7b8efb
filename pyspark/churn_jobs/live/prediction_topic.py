"""Publishes stored batches of live predictions, each once for a reader of committed messages.

A batch is pending from the transaction that stores it until it is published, as the simulator's records are: if this
program is killed between the two commits, its successor finds the batch's marker and does not publish it again.
"""

import json

from sqlalchemy import Connection, Engine, RowMapping, select

from churn.columns import CHURN_MODEL, Processed
from churn.ledger import PREDICTION_TOPIC
from churn.tables import churn_predictions
from driftline.clock import aware_utc
from driftline.engine.results import ID
from driftline.publishing.once_publisher import OncePublisher
from driftline.publishing.publisher import BatchPublisher, Publication
from driftline.store import ledger
from driftline.store.database import translated

MOST_BATCHES = 20
"""The most batches of one Kafka transaction."""
SCHEMA_VERSION = 1
FIELDS = ("prediction", "probability_0", "probability_1", "model_version")


class PredictionTopic:
    """Publishes pending batches of predictions in the ledger's order; not safe to use from two threads at once."""

    def __init__(self, engine: Engine, publisher: BatchPublisher) -> None:
        """Store the database engine and the publisher; nothing is read before `publish`."""
        self._engine, self._publisher = engine, OncePublisher(engine, publisher, PREDICTION_TOPIC)

    def publish(self) -> int:
        """Publish all pending batches; return the number of predictions.

        Raises:
            DatabaseUnavailable, KafkaUnavailable: call it again later; what was published is not published again.
        """
        try:
            if not self._publisher.is_open:
                self._publisher.open()
            return sum(iter(self._publish_next, 0))
        except BaseException:
            self.close()  # the outcome of a transaction may be unknown: `open` reads the markers
            raise

    def close(self) -> None:
        """Close the producer; the next `publish` opens it again."""
        self._publisher.close()

    def _publish_next(self) -> int:
        """Publish and settle the first pending batches; return how many predictions they have, 0 if none is pending."""
        with translated(), self._engine.connect() as connection:
            batches = ledger.claim_all(connection, PREDICTION_TOPIC, MOST_BATCHES)
            if not batches:
                return 0
            publications = [_publication(connection, batch) for batch in batches]
            self._publisher.publish(publications)
            ledger.settle(connection, PREDICTION_TOPIC, *(batch["number"] for batch in batches))
            connection.commit()
        self._publisher.forget(publications)
        return sum(batch["rows_written"] for batch in batches)


def _publication(connection: Connection, batch: RowMapping) -> Publication:
    """Return a batch's predictions as messages, keyed by subscriber as the records are."""
    columns = churn_predictions.c
    read = [columns[name] for name in (ID, Processed.DATE, Processed.USER, *FIELDS, "scored_at")]
    statement = select(*read).where(columns.batch_number == batch["number"])
    rows = connection.execute(statement).mappings().all()
    marker = json.dumps({"batch_id": batch["batch_id"], "predictions": len(rows)})
    messages = [_message(row) for row in rows]
    return Publication(batch["batch_id"], marker, messages, SCHEMA_VERSION, traceparent=batch["traceparent"])


def _message(row: RowMapping) -> tuple[bytes, bytes]:
    fields = {
        "id": row[ID],
        "model": CHURN_MODEL,
        Processed.DATE: row[Processed.DATE].isoformat(),
        Processed.USER: row[Processed.USER],
        **{name: row[name] for name in FIELDS},
        "scored_at": aware_utc(row["scored_at"]).isoformat(),
    }
    return row[Processed.USER].encode(), json.dumps(fields).encode()
