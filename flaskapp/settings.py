"""Settings of the simulator, read from the environment when asked for."""

from dataclasses import dataclass, field

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from driftline.columns import Topic
from driftline.settings import DatabaseSettings, EnvironmentSettings, KafkaSettings


class SimulatorSettings(EnvironmentSettings):
    """Where the simulator listens and where its relay publishes; beyond loopback it needs a token."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(5000, ge=0, le=65535)
    token: SecretStr | None = None
    records_topic: str = Topic.CDR_RECORDS
    batches_topic: str = Topic.CDR_BATCHES
    transactional_id: str = "driftline-relay"


@dataclass(frozen=True)
class Settings:
    """All settings of the simulator's process."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    simulator: SimulatorSettings = field(default_factory=SimulatorSettings)
