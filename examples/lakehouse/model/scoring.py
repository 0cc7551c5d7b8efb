"""Scores orders that are new in the lake, read incrementally, and tells the monitor of labels and deletions too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from driftline.client import Monitor
from examples.lakehouse.lake.iceberg import KIND, MAIN, NUMBER, ORDERS, SCORED, TRAINED, changelog, references
from examples.lakehouse.model.delivery_model import AT, FEATURES, ID, LABEL, PREDICTION, DeliveryModel, scored
from examples.monitor_api import NotStored

SECONDS = 120
INSERTED, REPLACED, UPDATED, DELETED = "INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"
"""The kinds of a change, as Iceberg names them; an update is two rows."""


@dataclass(frozen=True)
class OrderChanges:
    """What has happened between two snapshots: ids of deleted orders, and changes of orders that are there now."""

    deleted: Sequence[str]
    present: pd.DataFrame

    @classmethod
    def of(cls, changes: pd.DataFrame) -> "OrderChanges":
        """Divide changes; those before the last deletion of their order are left out."""
        changes = _with_reused_ids(changes)
        deletions = changes[changes[KIND] == DELETED].groupby(ID)[NUMBER].max()
        is_present = changes[NUMBER] > changes[ID].map(deletions).fillna(-1)
        return cls([f"{order_id}" for order_id in deletions.index], changes[is_present])

    @property
    def inserted(self) -> pd.DataFrame:
        """The new orders."""
        return self.present[self.present[KIND] == INSERTED]

    @property
    def delivered(self) -> pd.DataFrame:
        """The changes with a label."""
        return self.present[self.present[LABEL].notna()]


@dataclass(frozen=True)
class SentChanges:
    """What the monitor was sent: how many new predictions; and how many rows it had of deleted orders."""

    scored: int = 0
    erased: int = 0


@dataclass(frozen=True)
class OrderScoring:
    """What scoring needs: the model, the client of the monitor, its deletions by id, and the first monitored day."""

    model: DeliveryModel
    monitor: Monitor
    erase: Callable[[Sequence[str]], int]
    begin: datetime

    def score(self, spark: SparkSession) -> SentChanges:
        """Send what has changed since the tagged snapshot, at first that of the training, and return how much.

        The tag moves when the monitor has stored everything; until then, the same is sent again.

        Raises:
            NotStored: the monitor has not stored all of it.
        """
        snapshots = references(spark)
        first, last = snapshots.get(SCORED, snapshots[TRAINED]), snapshots[MAIN]
        if first == last:
            return SentChanges()
        sent = self.send(OrderChanges.of(changed_orders(spark, first, last, self.begin)))
        spark.sql(f"ALTER TABLE {ORDERS} CREATE OR REPLACE TAG {SCORED} AS OF VERSION {last:d}")
        return sent

    def send(self, changes: OrderChanges) -> SentChanges:
        """Send deletions, predictions and labels; again, the monitor has the same rows afterwards.

        Rows of an earlier attempt that still wait in the client's spool are sent before the deletions, which would miss
        them otherwise. Deletions come before predictions, since an id may be that of another order by now.

        Raises:
            NotStored: the monitor has not stored all of it.
        """
        self._wait_until_stored()
        erased = self.erase(changes.deleted)
        self._log(changes.inserted)
        self._log_labels(changes.delivered)
        self._wait_until_stored()
        return SentChanges(len(changes.inserted), erased)

    def _wait_until_stored(self) -> None:
        if not self.monitor.flush(timeout=SECONDS) or self.monitor.status().refused_batches:
            raise NotStored(f"The monitor has not stored all orders: {self.monitor.status()}.")

    def _log(self, orders: pd.DataFrame) -> None:
        if not orders.empty:
            for order in scored(self.model, orders).to_dict("records"):
                features = {name: order[name] for name in FEATURES}
                self.monitor.log(features, order[PREDICTION], id=f"{order[ID]}", at=order[AT].to_pydatetime())

    def _log_labels(self, orders: pd.DataFrame) -> None:
        for order in orders.to_dict("records"):
            self.monitor.log_labels({f"{order[ID]}": order[LABEL]}, known_at=order["delivered_at"].to_pydatetime())


def _with_reused_ids(changes: pd.DataFrame) -> pd.DataFrame:
    """Return changes without the rows that were replaced; an update to an order placed at another time is two changes.

    Where an id is deleted and used again within a micro-batch, the lake has one update: it is a deletion and, half a
    number later, an insertion here.
    """
    replaced, updated = (changes[changes[KIND] == kind].set_index([ID, NUMBER])[AT] for kind in (REPLACED, UPDATED))
    earlier = replaced.reindex(updated.index)
    reused = updated.index[earlier.notna() & (earlier != updated)]
    is_reused = pd.MultiIndex.from_frame(changes[[ID, NUMBER]]).isin(reused)
    kinds = changes[KIND].mask(is_reused, changes[KIND].replace({REPLACED: DELETED, UPDATED: INSERTED}))
    numbers = changes[NUMBER] + 0.5 * (is_reused & (kinds == INSERTED))
    return changes.assign(**{KIND: kinds, NUMBER: numbers})[kinds != REPLACED]


def changed_orders(spark: SparkSession, first: int, last: int, begin: datetime) -> pd.DataFrame:
    """Return the changes after one snapshot until another of orders that were placed since an instant.

    Of an update the replaced row is there too, even if it was placed before.
    """
    is_wanted = (F.col(AT) >= begin) | (F.col(KIND) == REPLACED)
    columns = (ID, AT, *FEATURES, "delivered_at", LABEL, KIND, NUMBER)
    frame = changelog(spark, first, last).where(is_wanted).orderBy(NUMBER, ID).select(*columns).toPandas()
    return frame.assign(**{name: pd.to_datetime(frame[name]).dt.tz_localize(UTC) for name in (AT, "delivered_at")})
