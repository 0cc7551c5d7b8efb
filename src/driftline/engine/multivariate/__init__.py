"""Multivariate drift: how much all watched features together differ from the reference. No I/O here."""
