"""Settings of the scored stream, read from the environment when they are created."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from churn.columns import Topic
from driftline.publishing.publisher import Route
from driftline.settings import EnvironmentSettings, KafkaSettings, LocalSettings


class StreamSettings(EnvironmentSettings):
    """What `score_stream` reads and writes.

    `records` is the most messages of one micro-batch, `pause_seconds` the time between two starts of them, and
    `checkpoint` the address of the folder in which Spark remembers what it has read (on a cluster one that all
    machines reach); by default `<DRIFTLINE_VAR>/checkpoints/score_stream`.
    """

    model_config = SettingsConfigDict(env_prefix="SPARK_STREAM_")

    records_topic: str = Topic.CDR_RECORDS
    predictions_topic: str = Topic.MODEL_PREDICTIONS
    batches_topic: str = Topic.PREDICTION_BATCHES
    transactional_id: str = "driftline-score-stream"
    records: int = Field(20_000, ge=1, le=100_000)
    pause_seconds: float = Field(0.2, ge=0, le=3600)
    checkpoint: str | None = None

    @property
    def checkpoint_address(self) -> str:
        """The address of the checkpoint for Spark."""
        return self.checkpoint or (LocalSettings().var.absolute() / "checkpoints" / "score_stream").as_uri()

    def route(self, kafka: KafkaSettings) -> Route:
        """Return where predictions are published."""
        return Route(kafka, self.predictions_topic, self.batches_topic, self.transactional_id)
