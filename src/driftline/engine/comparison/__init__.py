"""Compares two models on the same labelled rows, and decides whether the newer one is promoted. No I/O here."""
