"""Scores the records of a topic as they arrive."""
