"""Runs without network, which log what would have left the machine."""
