"""Incidents: what the changes of a model version's verdicts mean together."""
