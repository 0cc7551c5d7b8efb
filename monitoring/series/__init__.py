"""Sends results and verdicts to a time series database; without an address nothing is read or sent."""
