"""Alerts within a budget of false alerts: evidence from scores and labels over time. No I/O here."""
