"""Driftline's data in MySQL: tables, the ledger, predictions, labels, the model registry and migrations."""
