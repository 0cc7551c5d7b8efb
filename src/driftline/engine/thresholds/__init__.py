"""Thresholds: the bounds of each result, from the reference or from the spec. No I/O here."""
