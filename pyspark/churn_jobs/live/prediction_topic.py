"""Publishes stored batches of live predictions, each once for a reader of committed messages.

A batch is pending from the transaction that stores it until it is published, as the simulator's records are: if this
program is killed between the two commits, its successor finds the batch's marker and does not publish it again.
"""

import json
from datetime import datetime

from sqlalchemy import Connection, Engine, LargeBinary, RowMapping, cast, func, select

from churn.columns import CHURN_MODEL, Processed, prediction_id
from churn.ledger import PREDICTION_TOPIC
from churn.tables import churn_predictions
from churn_jobs.trainers.artifact import COMPLEMENT
from driftline.clock import aware_utc
from driftline.engine.results import PREDICTION, SCORE
from driftline.errors import Conflict
from driftline.publishing.once_publisher import OncePublisher
from driftline.publishing.publisher import BatchPublisher, Publication
from driftline.store import ledger
from driftline.store.database import translated

MOST_BATCHES = 20
"""The most batches of one Kafka transaction."""
SCHEMA_VERSION = 1
LINE = tuple(
    churn_predictions.c[name]
    for name in (PREDICTION, COMPLEMENT, SCORE, "model_version", "scored_at", Processed.DATE, Processed.USER)
)
"""The columns of a prediction's line; only the last, the subscriber, may have a comma."""


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
    """Return a batch's predictions as messages, keyed by subscriber as the records are.

    The server joins the rows to a few texts: the driver would take longer to decode their values one by one.

    Raises:
        Conflict: the server has cut a text.
    """
    joined = func.aggregate_strings(cast(func.concat_ws(",", *LINE), LargeBinary), "\n")
    statement = select(func.count(), joined).where(churn_predictions.c.batch_number == batch["number"])
    texts = connection.execute(statement.group_by(func.right(churn_predictions.c[Processed.USER], 1))).all()
    lines = [line for _, text in texts for line in text.decode().split("\n")]
    if len(lines) != sum(rows for rows, _ in texts):
        raise Conflict(f"The server has cut the predictions of batch {batch['batch_id']}; raise group_concat_max_len.")
    marker = json.dumps({"batch_id": batch["batch_id"], "predictions": len(lines)})
    messages = [_message(line) for line in lines]
    return Publication(batch["batch_id"], marker, messages, SCHEMA_VERSION, traceparent=batch["traceparent"])


def _message(line: str) -> tuple[bytes, bytes]:
    """Return the key and the content of a prediction's message from its line of `LINE`."""
    prediction, probability_0, probability_1, model_version, scored_at, day, user = line.split(",", len(LINE) - 1)
    fields = {
        "id": prediction_id(day, user),
        "model": CHURN_MODEL,
        Processed.DATE: day,
        Processed.USER: user,
        PREDICTION: int(prediction),
        COMPLEMENT: float(probability_0),
        SCORE: float(probability_1),
        "model_version": int(model_version),
        "scored_at": aware_utc(datetime.fromisoformat(scored_at)).isoformat(),
    }
    return user.encode(), json.dumps(fields).encode()
