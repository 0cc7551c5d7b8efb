"""The relay: publishes each committed batch of records to Kafka exactly once."""
