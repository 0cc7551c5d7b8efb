"""One Spark session for the examples that use one."""

import gc
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from examples.spark_sessions import kafka_jars, spark_session


@pytest.fixture(scope="session")
def example_spark() -> Iterator[SparkSession]:
    """A session as the examples start it, or that of other tests in this process, which is left to them."""
    if active := SparkSession.getActiveSession():
        yield active
    else:
        with spark_session("examples", kafka_jars()) as session:
            yield session
    gc.collect()
