"""Settings of the Spark jobs, read from the environment when asked for."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

FOLDER = Path(__file__).resolve().parents[1]
"""The folder of the scripts and their configuration."""


class JobSettings(EnvironmentSettings):
    """Where Spark runs and with what.

    `jars` is the folder of its connectors, `driver_memory` the size of its heap, `shuffle_partitions` in how many parts
    it groups and joins, `jdbc_options` what the database's address needs besides host, port, name. `java_options` suit
    jobs of a minute on a few cores (the quick compiler, the simple collector); on large data leave them empty: here a
    variable without a value is taken as it is.
    """

    model_config = SettingsConfigDict(env_prefix="SPARK_", env_ignore_empty=False)

    master: str = "local[*]"
    driver_memory: str = Field("2g", pattern=r"^[1-9][0-9]*[mgMG]$")
    jars: Path = FOLDER.parent / "build" / "jars" / "spark"
    shuffle_partitions: int = Field(4, ge=1)
    java_options: str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    jdbc_options: str = "allowPublicKeyRetrieval=true"
