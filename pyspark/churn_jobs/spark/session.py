"""The Spark session of a job: on loopback, in UTC, without Spark's web page."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from churn_jobs.spark.settings import JobSettings
from driftline.errors import NotFound

LOOPBACK = "127.0.0.1"
JDBC_DRIVER_JARS = "mariadb-java-client-*.jar"
KAFKA_JARS = ("spark-sql-kafka-*.jar", "spark-token-provider-kafka-*.jar", "kafka-clients-*.jar", "commons-pool2-*.jar")
WITHOUT_CHECKSUMS = {"spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs"}
"""Checkpoints in a local folder have no files of checksums, each of which takes the start of a process."""
JAVA_OPTIONS = "java.options"
"""The file beside the jars in which `make classes` writes the options of Java that read its archive."""
LOGGING = Path(__file__).with_name("log4j2.properties")


@contextmanager
def spark_session(name: str, settings: JobSettings, *, reads_kafka: bool = False) -> Iterator[SparkSession]:
    """Start a Spark session and stop it afterwards.

    Raises:
        NotFound: the database driver's jar, or one of Kafka's where it is read, is not in the folder of jars.
    """
    session = _start(name, settings, connector_jars(settings, reads_kafka=reads_kafka))
    try:
        yield session
    finally:
        session.stop()


def _start(name: str, settings: JobSettings, jars: Sequence[str]) -> SparkSession:
    if _is_local(settings):
        os.environ["SPARK_LOCAL_IP"] = LOOPBACK  # read before any option; its default is the network's address
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.master)
    for key, value in _options(settings, jars).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _options(settings: JobSettings, jars: Sequence[str]) -> dict[str, str]:
    """Return Spark's options; the driver listens on loopback if Spark runs locally."""
    java = f"-Duser.timezone=UTC {settings.java_options}".strip()
    driver = f"{java} -Dlog4j2.configurationFile={LOGGING.as_uri()} {_class_archive(settings.jars)}".strip()
    return {
        "spark.jars": ",".join(jars),
        "spark.driver.memory": settings.driver_memory,
        **(dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), LOOPBACK) if _is_local(settings) else {}),
        "spark.driver.extraJavaOptions": driver,
        "spark.executor.extraJavaOptions": java,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.python.sql.dataFrameDebugging.enabled": "false",  # otherwise each expression inspects the call stack
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **WITHOUT_CHECKSUMS,
    }


def _class_archive(jars: Path) -> str:
    """Return the options of Java that read the archive of `make classes`; none if there is no archive.

    With it Spark starts in half the time. Java ignores an archive of another Java or Spark.
    """
    options = jars / JAVA_OPTIONS
    return options.read_text() if options.exists() else ""


def _is_local(settings: JobSettings) -> bool:
    return settings.master.startswith("local")


def connector_jars(settings: JobSettings, *, reads_kafka: bool = False) -> list[str]:
    """Return the jar files of the database driver and, for a job that reads Kafka, of Spark's connector.

    Raises:
        NotFound: the folder of jars lacks one.
    """
    patterns = (JDBC_DRIVER_JARS, *(KAFKA_JARS if reads_kafka else ()))
    jars = {pattern: sorted(map(str, settings.jars.absolute().glob(pattern))) for pattern in patterns}
    missing = [pattern for pattern, files in jars.items() if not files]
    if missing:
        raise NotFound(f"No {', '.join(missing)} in {settings.jars}; run `make setup`, or set SPARK_JARS.")
    return [file for files in jars.values() for file in files]
