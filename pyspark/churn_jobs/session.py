"""The Spark session of a job: on loopback, in UTC, without Spark's web page."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from churn_jobs.settings import JobSettings
from driftline.errors import NotFound

LOOPBACK = "127.0.0.1"
JDBC_DRIVER_JARS = "mariadb-java-client-*.jar"
LOGGING = Path(__file__).with_name("log4j2.properties")


@contextmanager
def spark_session(name: str, settings: JobSettings) -> Iterator[SparkSession]:
    """Start a Spark session and stop it afterwards.

    Raises:
        NotFound: the database driver's jar is not in the folder of jars.
    """
    session = _start(name, settings)
    try:
        yield session
    finally:
        session.stop()


def _start(name: str, settings: JobSettings) -> SparkSession:
    if _is_local(settings):
        os.environ["SPARK_LOCAL_IP"] = LOOPBACK  # read before any option; its default is the network's address
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.master)
    for key, value in _options(settings).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _options(settings: JobSettings) -> dict[str, str]:
    """Return Spark's options; the driver listens on loopback if Spark runs locally."""
    java = f"-Duser.timezone=UTC {settings.java_options}".strip()
    return {
        "spark.jars": ",".join(driver_jars(settings)),
        "spark.driver.memory": settings.driver_memory,
        **(dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), LOOPBACK) if _is_local(settings) else {}),
        "spark.driver.extraJavaOptions": f"{java} -Dlog4j2.configurationFile={LOGGING.as_uri()}",
        "spark.executor.extraJavaOptions": java,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.python.sql.dataFrameDebugging.enabled": "false",  # otherwise each expression inspects the call stack
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }


def _is_local(settings: JobSettings) -> bool:
    return settings.master.startswith("local")


def driver_jars(settings: JobSettings) -> list[str]:
    """Return the jar files of the database driver.

    Raises:
        NotFound: the folder of jars has none.
    """
    jars = sorted(str(path) for path in settings.jars.absolute().glob(JDBC_DRIVER_JARS))
    if not jars:
        raise NotFound(f"No {JDBC_DRIVER_JARS} in {settings.jars}; run `make setup`, or set SPARK_JARS.")
    return jars
