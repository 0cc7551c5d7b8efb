"""Mergeable summaries of a column that drift methods compare. No I/O here."""
