"""The simulator service: makes call-detail records and sends them to MySQL and, by the relay, to Kafka."""
