"""Univariate drift: how far a column's values in a chunk are from those in the reference. No I/O here."""
