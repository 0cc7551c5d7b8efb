"""The messages of a topic, as a reader sees them who reads committed ones only."""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition


def committed_messages(bootstrap_servers: str, topic: str) -> Iterator[Message]:
    """Yield all messages of a topic, from its beginning to its present end, those of each partition in order."""
    options = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": "committed-messages",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    consumer = Consumer(options)
    try:
        unread = set(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in unread])
        while unread:
            for message in consumer.consume(10_000, 1.0):
                if message.error() is None:
                    yield message
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
    finally:
        consumer.close()
