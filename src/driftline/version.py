"""The version of Driftline. No I/O here."""

__version__ = "0.1.0"
