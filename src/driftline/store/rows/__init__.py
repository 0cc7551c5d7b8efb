"""Predictions and labels in MySQL, and in archive objects."""
