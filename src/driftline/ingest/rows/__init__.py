"""Sent rows, unpacked and checked. No I/O here."""
