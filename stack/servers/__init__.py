"""Local database and Kafka servers: their commands, root accounts, ports and processes."""
