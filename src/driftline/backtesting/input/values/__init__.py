"""Columns as values: numbers, missing values, and event times. No I/O here."""
