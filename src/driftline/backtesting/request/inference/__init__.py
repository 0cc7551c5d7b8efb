"""Infers what a request leaves open from the reference. No I/O here."""
