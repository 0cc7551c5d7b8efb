"""The lake: Apache Iceberg tables on object storage, whose catalogue is in the shop's database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

from examples.lakehouse.jars import jars
from examples.lakehouse.shop.orders import CATALOG
from examples.object_store import StoredObjects
from examples.processes import LOOPBACK
from examples.spark_sessions import kafka_jars, spark_session

LAKE = "lake"
ORDERS, DELETED = f"{LAKE}.shop.orders", f"{LAKE}.shop.deleted_orders"
"""The orders as they are, and the positions at which orders were deleted."""
MAIN, TRAINED, SCORED = "main", "trained", "scored"
"""The branch of the orders, and the tags of the snapshots that the model learned from and that were scored last."""
KIND, NUMBER = "_change_type", "_change_ordinal"
"""What Iceberg says about a change in the changelog, and the number of its snapshot there."""
POSITION = "change_file STRING, change_pos BIGINT, change_offset BIGINT"
"""The position of a row's newest change, by which changes are in order."""
COLUMNS = """
id BIGINT NOT NULL, customer_id BIGINT, placed_at TIMESTAMP, distance DOUBLE, items INT, weight_kg DOUBLE,
warehouse STRING, express INT, delivered_at TIMESTAMP, delivery_hours DOUBLE, updated_at TIMESTAMP
"""

KEYS = {
    "access.key": "AWS_ACCESS_KEY_ID",
    "secret.key": "AWS_SECRET_ACCESS_KEY",
    "session.token": "AWS_SESSION_TOKEN",
}
"""The options of the S3A file system that are secret, and the variables that hold them."""
PROVIDERS = (
    "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
    "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
)
"""Where keys are looked for: in the options with a token and without, then in the environment."""


@contextmanager
def lake_session(name: str, objects: StoredObjects, catalogue_port: int, password: str) -> Iterator[SparkSession]:
    """Start a session with the catalogue `lake` on an object store.

    Passwords and keys are set after the start, since all users of the system can read a program's arguments.
    """
    options = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        f"spark.sql.catalog.{LAKE}": "org.apache.iceberg.spark.SparkCatalog",
        f"spark.sql.catalog.{LAKE}.type": "jdbc",
        f"spark.sql.catalog.{LAKE}.uri": f"jdbc:mariadb://{LOOPBACK}:{catalogue_port}/{CATALOG}",
        f"spark.sql.catalog.{LAKE}.jdbc.user": "lake",
        f"spark.sql.catalog.{LAKE}.jdbc.schema-version": "V1",
        f"spark.sql.catalog.{LAKE}.warehouse": f"{objects.address.replace('s3://', 's3a://')}/iceberg",
        f"spark.sql.catalog.{LAKE}.cache-enabled": "false",
        "spark.driver.memory": "1g",
        **_object_store(objects.variables),
    }
    with spark_session(name, [*jars("iceberg").glob("*.jar"), *kafka_jars()], options) as spark:
        spark.conf.set(f"spark.sql.catalog.{LAKE}.jdbc.password", password)
        for option, variable in KEYS.items():
            if variable in objects.variables:
                spark.conf.set(f"spark.sql.catalog.{LAKE}.hadoop.fs.s3a.{option}", objects.variables[variable])
        yield spark


def create_tables(spark: SparkSession) -> None:
    """Create both tables unless they exist; an update rewrites the files that it touches, which keeps reads simple."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {LAKE}.shop")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {ORDERS} ({COLUMNS}, {POSITION}) USING iceberg")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {DELETED} (id BIGINT NOT NULL, {POSITION}) USING iceberg")


def add_columns(table: str, rows: DataFrame, *others: str) -> None:
    """Add the columns to a table that rows have and it lacks, but some others."""
    spark = rows.sparkSession
    columns = {*spark.table(table).columns, *others}
    for field in rows.schema.fields:
        if field.name not in columns:
            name = field.name.replace("`", "``")
            spark.sql(f"ALTER TABLE {table} ADD COLUMN `{name}` {field.dataType.simpleString()}")


def references(spark: SparkSession) -> dict[str, int]:
    """Return the branches and tags of the orders with the ids of their snapshots."""
    return {row["name"]: row["snapshot_id"] for row in spark.table(f"{ORDERS}.refs").collect()}


def changelog(spark: SparkSession, first: int, last: int) -> DataFrame:
    """Return all changes after one snapshot until another, with the columns `KIND` and `NUMBER`."""
    (row,) = spark.sql(
        f"CALL {LAKE}.system.create_changelog_view(table => '{ORDERS}', "
        "options => map('start-snapshot-id', :first, 'end-snapshot-id', :last), identifier_columns => array('id'))",
        {"first": f"{first}", "last": f"{last}"},
    ).collect()
    return spark.table(row["changelog_view"])


def _object_store(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the options of the S3A file system but for the keys; without any it takes those of the environment."""
    options = {
        "endpoint": variables.get("AWS_ENDPOINT_URL", ""),
        "endpoint.region": variables.get("AWS_DEFAULT_REGION", ""),
        "path.style.access": "true",
        "attempts.maximum": "3",
        "aws.credentials.provider": ",".join(PROVIDERS),
    }
    return {f"spark.hadoop.fs.s3a.{name}": value for name, value in options.items() if value}
