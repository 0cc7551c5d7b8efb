"""Topics of the examples."""

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from examples.monitor_api import wait_for

SECONDS = 60


def create_topics(bootstrap_servers: str, *topics: str) -> None:
    """Create topics that are missing, with one partition each since their messages have an order.

    A topic exists a moment before its partition has a leader; until then its readers and writers are refused.

    Raises:
        KafkaException: the broker refuses.
        NotInTime: a partition has no leader.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 3})
    for created in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
        try:
            created.result(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    wait_for(lambda: _have_leaders(admin, topics), f"A leader for {' and '.join(topics)}", SECONDS)


def _have_leaders(admin: AdminClient, topics: tuple[str, ...]) -> bool | None:
    """Return true if each topic's leader says where it ends; None if not."""
    try:
        for end in admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.latest() for topic in topics}).values():
            end.result(SECONDS)
    except KafkaException:
        return None
    return True
