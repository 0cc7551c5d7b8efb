"""Scores orders that are new in the lake, read incrementally, and sends predictions and labels to the monitor."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from driftline.client import Monitor
from examples.lakehouse.lake import MAIN, ORDERS, SCORED, TRAINED, changelog, references
from examples.lakehouse.model import AT, FEATURES, ID, LABEL, PREDICTION, DeliveryModel, scored

SECONDS = 120
KIND, INSERTED, UPDATED = "_change_type", "INSERT", "UPDATE_AFTER"
"""What Iceberg says of a change, and two of its values."""


@dataclass(frozen=True)
class OrderScoring:
    """What scoring needs: the model, the client of the monitor, and the begin of the monitored days."""

    model: DeliveryModel
    monitor: Monitor
    begin: datetime

    def score(self, spark: SparkSession) -> int:
        """Score what has changed since the tagged snapshot, at first that of the training; return how many are new.

        The tag moves when the monitor has stored everything; until then, the same is sent again.

        Raises:
            RuntimeError: the monitor has not stored all of it.
        """
        snapshots = references(spark)
        first, last = snapshots.get(SCORED, snapshots[TRAINED]), snapshots[MAIN]
        if first == last:
            return 0
        changes = changed_orders(spark, first, last, self.begin)
        new = changes[changes[KIND] == INSERTED]
        self._log(new)
        self._log_labels(changes[changes[LABEL].notna()])
        if not self.monitor.flush(timeout=SECONDS) or self.monitor.status().refused_batches:
            raise RuntimeError(f"The monitor has not stored the orders until snapshot {last}: {self.monitor.status()}.")
        spark.sql(f"ALTER TABLE {ORDERS} CREATE OR REPLACE TAG {SCORED} AS OF VERSION {last:d}")
        return len(new)

    def _log(self, orders: pd.DataFrame) -> None:
        if not orders.empty:
            for order in scored(self.model, orders).to_dict("records"):
                features = {name: order[name] for name in FEATURES}
                self.monitor.log(features, order[PREDICTION], id=f"{order[ID]}", at=order[AT].to_pydatetime())

    def _log_labels(self, orders: pd.DataFrame) -> None:
        for order in orders.to_dict("records"):
            self.monitor.log_labels({f"{order[ID]}": order[LABEL]}, known_at=order["delivered_at"].to_pydatetime())


def changed_orders(spark: SparkSession, first: int, last: int, begin: datetime) -> pd.DataFrame:
    """Return the orders placed since an instant that were inserted or updated after one snapshot until another."""
    view = changelog(spark, first, last).where(F.col(KIND).isin(INSERTED, UPDATED) & (F.col(AT) >= begin))
    columns = (ID, AT, *FEATURES, "delivered_at", LABEL, KIND)
    frame = view.orderBy("_change_ordinal", ID).select(*columns).toPandas()
    return frame.assign(**{name: pd.to_datetime(frame[name]).dt.tz_localize(UTC) for name in (AT, "delivered_at")})
