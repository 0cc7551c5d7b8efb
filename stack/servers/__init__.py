"""Local database and Kafka servers: their commands, accounts, ports and processes."""
