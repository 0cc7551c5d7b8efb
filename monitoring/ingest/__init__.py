"""Ingestion from Kafka: a process that reads topics of predictions and labels."""
