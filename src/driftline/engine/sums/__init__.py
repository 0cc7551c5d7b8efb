"""Sums that do not depend on the order of rows. No I/O here."""
