"""Settings of ingestion from Kafka and from SQL, read from the environment on construction."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings


class IngestSettings(EnvironmentSettings):
    """Kafka: the topics, the consumer group, and the model of messages that name none."""

    model_config = SettingsConfigDict(env_prefix="INGEST_")

    predictions_topic: str = "driftline-predictions"
    labels_topic: str = "driftline-labels"
    dead_letters_topic: str = "driftline-dead-letters"
    group: str = "driftline-ingest"
    model: str | None = None


class SqlSettings(EnvironmentSettings):
    """The address of the schema with the tables and queries, such as `mysql://reader:PASSWORD@127.0.0.1:3306/shop`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_SQL_")

    url: SecretStr
