"""Columns of data frames, read and checked. No I/O here."""
