"""Settings of the servers that every service may need, read from the environment when asked for."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """How to reach MySQL; user and password have no default."""

    model_config = SettingsConfigDict(env_prefix="DB_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(3307, ge=1, le=65535)
    user: str = Field(min_length=1)
    password: SecretStr
    name: str = Field("RawData", pattern=r"^[A-Za-z][A-Za-z0-9_]{0,57}$")

    @property
    def truth_name(self) -> str:
        """The schema that holds what was injected; the monitor has no rights on it."""
        return f"{self.name}_truth"


class Publisher(StrEnum):
    """The library that publishes to Kafka."""

    CONFLUENT = "confluent"
    KAFKA_PYTHON = "kafka-python"


class KafkaSettings(BaseSettings):
    """How to reach Kafka, and with which library the relay publishes."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True)

    bootstrap_servers: str = "127.0.0.1:9092"
    publisher: Publisher = Publisher.CONFLUENT


class LocalSettings(BaseSettings):
    """Where local state lives, and where objects such as references and model artifacts are kept."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", frozen=True)

    var: Path = Path("var")

    @property
    def objects(self) -> Path:
        """The folder of Parquet files, references and model artifacts."""
        return self.var / "objects"
