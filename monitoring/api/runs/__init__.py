"""The routes of runs of the poll, and their schemas."""
