"""The schema's history, run by `driftline db upgrade` alone."""
