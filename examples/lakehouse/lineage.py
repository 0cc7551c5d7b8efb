"""What the steps of the pipeline read and write, as datasets of OpenLineage by its naming rules. No I/O here."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import URL

from driftline.lineage import Dataset, object_dataset, table_dataset, topic_dataset
from examples.lakehouse.shop.orders import MODEL, ORDERS, SHOP, TOPIC
from examples.processes import LOOPBACK

POLLER, CONNECT, STREAM, TRAINING, REGISTRATION, SCORING, HUDI = (
    f"{MODEL}.{step}" for step in ("poller", "connect", "stream", "training", "registration", "scoring", "hudi")
)
"""The jobs, in the order in which data passes through them."""


def api_changes(address: str, *, rows: int | None = None) -> Dataset:
    """Return the changes of the shop's API."""
    return Dataset("changes", address, rows=rows)


def shop_orders(port: int, schema: str = SHOP, *, rows: int | None = None) -> Dataset:
    """Return the orders in a schema of the shop's database."""
    return table_dataset(URL.create("mysql", host=LOOPBACK, port=port, database=schema), ORDERS, rows=rows)


def change_topic(bootstrap_servers: str, *, rows: int | None = None) -> Dataset:
    """Return the topic of changes."""
    return topic_dataset(bootstrap_servers, TOPIC, rows=rows)


def lake_orders(objects: str, *, rows: int | None = None, version: str | None = None) -> Dataset:
    """Return the orders in the lake; their version is a snapshot, or the position in the source that they have."""
    return replace(object_dataset(f"{objects}/iceberg/shop/orders", rows=rows), version=version)


def hudi_tables(objects: str) -> Dataset:
    """Return the folder of both Hudi tables."""
    return object_dataset(f"{objects}/hudi")


def local_file(file: Path, *, rows: int | None = None) -> Dataset:
    """Return a file of the example's folder."""
    return object_dataset(str(file), rows=rows)
