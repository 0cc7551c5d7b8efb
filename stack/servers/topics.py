"""The topics of the relay and of live predictions."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from churn.columns import Topic
from driftline.kafka import confluent_options
from driftline.settings import KafkaSettings

TOPICS = (
    NewTopic(Topic.CDR_RECORDS, 4, 1),
    NewTopic(Topic.CDR_BATCHES, 1, 1, config={"cleanup.policy": "compact"}),  # markers, keyed by batch id
    NewTopic(Topic.CDR_DEAD_LETTERS, 1, 1),
    NewTopic(Topic.MODEL_PREDICTIONS, 4, 1),
    NewTopic(Topic.PREDICTION_BATCHES, 1, 1, config={"cleanup.policy": "compact"}),
)


def create_topics(settings: KafkaSettings) -> None:
    """Create the topics that are missing; existing ones are not changed.

    Raises `confluent_kafka.KafkaException` if the broker refuses.
    """
    client = AdminClient({**confluent_options(settings), "log_level": 3})
    for created in client.create_topics(list(TOPICS)).values():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
