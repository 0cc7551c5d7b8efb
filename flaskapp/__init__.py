"""The simulator: writes simulated call detail records to MySQL and relays them to Kafka."""
