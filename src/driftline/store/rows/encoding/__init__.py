"""Rows of a batch as typed columns and compressed blobs. No I/O here."""
