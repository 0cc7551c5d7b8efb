"""Datasets by the naming rules of OpenLineage: tables, objects, topics, and what a model has. No I/O here."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import URL, Table

MYSQL_PORT = 3306


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a dataset, and its type as the dataset's system names it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset that a run read or wrote.

    Attributes:
        name: unique in its namespace, such as `flights.predictions`.
        namespace: where it is, such as `mysql://127.0.0.1:3307`; None for what Driftline keeps: that of the settings.
        fields: its columns; empty where they are not known.
        rows: how many rows the run read or wrote; None where they were not counted.
        version: what identifies its content after the run.
    """

    name: str
    namespace: str | None = None
    fields: tuple[Field, ...] = ()
    rows: int | None = None
    version: str | None = None


def table_dataset(database: URL, table: Table, *, rows: int | None = None) -> Dataset:
    """Return a table of MySQL.

    >>> from sqlalchemy import Column, Integer, MetaData, Table, make_url
    >>> orders = Table("orders", MetaData(), Column("id", Integer))
    >>> dataset = table_dataset(make_url("mysql://db/shop"), orders, rows=3)
    >>> dataset.name, dataset.namespace, dataset.fields
    ('shop.orders', 'mysql://db:3306', (Field(name='id', type='Integer'),))
    """
    fields = tuple(Field(column.name, type(column.type).__name__) for column in table.columns)
    return Dataset(f"{database.database}.{table.name}", mysql_namespace(database), fields, rows)


def mysql_namespace(database: URL) -> str:
    """Return the namespace of a server of MySQL; it names neither user nor password."""
    return f"mysql://{database.host}:{database.port or MYSQL_PORT}"


def object_dataset(address: str, *, fields: tuple[Field, ...] = (), rows: int | None = None) -> Dataset:
    """Return a file, a folder, or objects below a prefix of a bucket."""
    scheme, separator, path = address.partition("://")
    if not separator:
        return Dataset(str(Path(address).absolute()), "file", fields, rows)
    bucket, _, key = path.partition("/")
    return Dataset(key or "/", f"{scheme}://{bucket}", fields, rows)


def topic_dataset(bootstrap_servers: str, topic: str, *, rows: int | None = None) -> Dataset:
    """Return a topic of Kafka, in the namespace of the first broker that is named."""
    return Dataset(topic, f"kafka://{bootstrap_servers.partition(',')[0].strip()}", rows=rows)


def predictions_of(
    model: str, fields: tuple[Field, ...] = (), *, rows: int | None = None, version: str | None = None
) -> Dataset:
    """Return the predictions of a model that are stored for monitoring."""
    return Dataset(f"{model}.predictions", fields=fields, rows=rows, version=version)


def labels_of(model: str, *, rows: int | None = None, version: str | None = None) -> Dataset:
    """Return the labels of a model."""
    fields = (Field("id", "string"), Field("label", "double"), Field("known_at", "timestamp[us, tz=UTC]"))
    return Dataset(f"{model}.labels", fields=fields, rows=rows, version=version)


def results_of(model: str, *, rows: int | None = None) -> Dataset:
    """Return the results and verdicts of a model's chunks."""
    return Dataset(f"{model}.results", rows=rows)


def reference_of(
    model: str, content_hash: str | None = None, fields: tuple[Field, ...] = (), *, rows: int | None = None
) -> Dataset:
    """Return the reference of a model's version, which its hash identifies where it is known."""
    return Dataset(f"{model}.reference", fields=fields, rows=rows, version=content_hash)


def artifact_of(model: str, version: int) -> Dataset:
    """Return the trained files of a model's version."""
    return Dataset(f"{model}.model", version=str(version))


def fields_of(schema: Iterable[pa.Field]) -> tuple[Field, ...]:
    """Return the columns of an Arrow schema."""
    return tuple(Field(field.name, str(field.type)) for field in schema)
