"""Restarts local processes that end by themselves."""
