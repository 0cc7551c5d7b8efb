"""Publishes batches of the ledger to Kafka, each once: records and a marker in one transaction."""
