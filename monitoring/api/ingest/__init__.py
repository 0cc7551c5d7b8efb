"""The routes of ingestion and their schemas."""
