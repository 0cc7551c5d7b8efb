"""Rows in: files and frames, their event times, reference and analysis."""
