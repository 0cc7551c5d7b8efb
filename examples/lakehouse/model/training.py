"""Trains the model on the lake as it was when the training began, and writes the reference."""

from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.lakehouse.lake.iceberg import ORDERS, TRAINED, references
from examples.lakehouse.model.delivery_model import AT, FEATURES, ID, LABEL, DeliveryModel, scored, train
from examples.lakehouse.shop.simulation import ShopPlan

MODEL_FILE, REFERENCE = "model.json", "reference.csv"


def train_model(spark: SparkSession, plan: ShopPlan, folder: Path) -> str:
    """Train on the tagged snapshot, which the first training tags, and return what was done; again, it is the same."""
    spark.sql(f"ALTER TABLE {ORDERS} CREATE TAG IF NOT EXISTS {TRAINED}")
    orders = delivered_orders(spark)
    trained = orders[orders[AT] < plan.reference_begin]
    reference = orders[(orders[AT] >= plan.reference_begin) & (orders[AT] < plan.reference_end)]
    model = train(trained)
    (folder / MODEL_FILE).write_text(model.to_json())
    scored(model, reference).to_csv(folder / REFERENCE, index=False)
    snapshot = references(spark)[TRAINED]
    return f"Trained on {len(trained):,} orders of snapshot {snapshot}; the reference has {len(reference):,}."


def load_model(folder: Path) -> DeliveryModel:
    """Return the model that was trained."""
    return DeliveryModel.from_json((folder / MODEL_FILE).read_text())


def delivered_orders(spark: SparkSession) -> pd.DataFrame:
    """Return the delivered orders of the tagged snapshot, by id."""
    orders = spark.read.option("tag", TRAINED).table(ORDERS).where(F.col(LABEL).isNotNull())
    frame = orders.select(ID, AT, *FEATURES, LABEL).orderBy(ID).toPandas()
    return frame.assign(**{AT: frame[AT].dt.tz_localize("UTC")})
