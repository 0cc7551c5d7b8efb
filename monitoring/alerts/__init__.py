"""Alerts: what happens in incidents, sent to the people whom it concerns."""
