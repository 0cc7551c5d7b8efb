"""Settings of ingestion from Kafka, read from the environment on construction."""

from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings


class IngestSettings(EnvironmentSettings):
    """The topics, the consumer group, and the model of messages that name none."""

    model_config = SettingsConfigDict(env_prefix="INGEST_")

    predictions_topic: str = "driftline-predictions"
    labels_topic: str = "driftline-labels"
    dead_letters_topic: str = "driftline-dead-letters"
    group: str = "driftline-ingest"
    model: str | None = None
