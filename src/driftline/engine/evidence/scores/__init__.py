"""Counts of rows by score, their calibration, and the residuals."""
