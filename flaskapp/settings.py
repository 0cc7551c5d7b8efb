"""Settings of the simulator, read from the environment on construction."""

from dataclasses import dataclass, field

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from churn.columns import Topic
from driftline.settings import AccessSettings, DatabaseSettings, EnvironmentSettings, KafkaSettings


class SimulatorSettings(EnvironmentSettings):
    """The simulator's address and its relay's topics; a host other than loopback requires tokens."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_")

    host: str = "127.0.0.1"
    port: int = Field(5000, ge=0, le=65535)
    records_topic: str = Topic.CDR_RECORDS
    batches_topic: str = Topic.CDR_BATCHES
    dead_letters_topic: str = Topic.CDR_DEAD_LETTERS
    transactional_id: str = "driftline-relay"


class RawDataSettings(EnvironmentSettings):
    """The raw data to download: an object of a Google bucket, or any object or file by its address.

    `url` is `gs://bucket/name`, `s3://bucket/name` or a file's path, and replaces both other settings. `emulator` is
    the address of a storage emulator, which is used instead of Google, without credentials.
    """

    model_config = SettingsConfigDict(env_prefix="RAW_DATA_")

    bucket: str | None = None
    object: str | None = None
    url: str | None = None
    emulator: str | None = Field(None, validation_alias="STORAGE_EMULATOR_HOST")

    @property
    def address(self) -> str | None:
        """The object's address; None if it is not set, or only in part."""
        google = self.bucket and self.object and f"gs://{self.bucket}/{self.object}"
        return self.url or google or None


@dataclass(frozen=True)
class Settings:
    """All settings of the simulator's process."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    simulator: SimulatorSettings = field(default_factory=SimulatorSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
