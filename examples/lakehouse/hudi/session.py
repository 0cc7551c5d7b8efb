"""The session of Spark 3.5 with Hudi, Kafka and S3."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from examples.spark_sessions import JVM, spark_session

UTC = ("-Duser.timezone=UTC", "-Djdk.attach.allowAttachSelf=true")
"""Instants of a Hudi timeline are in the JVM's zone."""


@contextmanager
def hudi_session(jars: Path) -> Iterator[SparkSession]:
    """Start a session; the S3 server and its keys are those of the AWS_* variables.

    Hadoop 3.3.4 deletes the markers of parent folders at each write unless it is to keep them, which takes minutes.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    options = {
        "spark.driver.memory": "768m",
        "spark.driver.extraJavaOptions": " ".join((JVM, *UTC)),
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryo.registrator": "org.apache.spark.HoodieSparkKryoRegistrar",
        "spark.sql.extensions": "org.apache.spark.sql.hudi.HoodieSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.hudi.catalog.HoodieCatalog",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.hadoop.fs.s3a.endpoint": os.environ.get("AWS_ENDPOINT_URL", ""),
        "spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        "spark.hadoop.fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.attempts.maximum": "3",
        "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
    }
    with spark_session("lakehouse-hudi", sorted(jars.glob("*.jar")), options) as spark:
        yield spark
