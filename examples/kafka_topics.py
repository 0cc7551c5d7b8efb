"""Topics of the examples."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

SECONDS = 60


def create_topics(bootstrap_servers: str, *topics: str) -> None:
    """Create topics that are missing, with one partition each since their messages have an order.

    Raises:
        KafkaException: the broker refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 3})
    for created in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
        try:
            created.result(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
