"""Chunks of rows and their event times. No I/O here."""
