"""Datasets have the names that OpenLineage prescribes, without users and passwords."""

from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import URL

from driftline.lineage.datasets import Field, fields_of, object_dataset, table_dataset, topic_dataset
from driftline.store.tables import pending_batches


def test_a_table_is_named_by_server_and_schema() -> None:
    url = URL.create("mysql+pymysql", "user", "secret", "db.example", 3307, "RawData")
    dataset = table_dataset(url, pending_batches, rows=3)
    assert (dataset.namespace, dataset.name) == ("mysql://db.example:3307", "RawData.pending_batches")
    assert dataset.fields == (Field("consumer", "VARCHAR"), Field("batch_number", "BigInteger"))
    assert dataset.rows == 3
    assert (
        table_dataset(URL.create("mysql", host="db.example", database="a"), pending_batches).namespace
        == "mysql://db.example:3306"
    )


@pytest.mark.parametrize(
    ("address", "namespace", "name"),
    [
        ("s3://bucket/a/b.parquet", "s3://bucket", "a/b.parquet"),
        ("gs://bucket", "gs://bucket", "/"),
        ("/data/a.csv", "file", "/data/a.csv"),
        ("a.csv", "file", str(Path("a.csv").absolute())),
    ],
)
def test_objects_are_named_by_bucket_or_path(address: str, namespace: str, name: str) -> None:
    dataset = object_dataset(address)
    assert (dataset.namespace, dataset.name) == (namespace, name)


def test_a_topic_is_named_by_its_first_broker() -> None:
    dataset = topic_dataset("one:9092, two:9092", "records")
    assert (dataset.namespace, dataset.name) == ("kafka://one:9092", "records")


def test_columns_have_the_types_of_arrow() -> None:
    assert fields_of(pa.schema([("id", pa.string())])) == (Field("id", "string"),)
