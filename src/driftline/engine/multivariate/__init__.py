"""Multivariate drift: how far all watched features together are from those in the reference. No I/O here."""
