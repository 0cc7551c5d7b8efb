"""The history of the tables that monitoring needs, applied by `driftline db upgrade`."""
