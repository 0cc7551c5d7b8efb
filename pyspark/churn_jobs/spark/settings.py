"""Settings of the Spark jobs, read from the environment when they are created."""

from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the scripts and their configuration."""


LONG_RUNNING = "-XX:+UseSerialGC"
"""Java options of a job that runs on: after a minute the C2 compiler's code takes two thirds of the time of C1's."""


class JobSettings(EnvironmentSettings):
    """Where Spark runs and with what.

    `jars` is the folder of its connectors, `driver_memory` the size of its heap, `shuffle_partitions` the number of
    partitions after a group or join, `jdbc_options` the options of the database's address. `java_options` suit jobs of
    a minute on a few cores (C1 compiler, serial garbage collector); for large data set them empty: an empty variable of
    these settings is a value, not the default. A job that runs on has `LONG_RUNNING` as its default.
    """

    model_config = SettingsConfigDict(env_prefix="SPARK_", env_ignore_empty=False)

    master: str = "local[*]"
    driver_memory: str = Field("2g", pattern=r"^[1-9][0-9]*[mgMG]$")
    jars: Path = FOLDER.parent / "build" / "jars" / "spark"
    shuffle_partitions: int = Field(4, ge=1)
    java_options: str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    jdbc_options: str = "allowPublicKeyRetrieval=true"

    def for_long_running(self) -> Self:
        """Return the settings of a job that runs on; Java options that are set stay."""
        return (
            self if "java_options" in self.model_fields_set else self.model_copy(update={"java_options": LONG_RUNNING})
        )
