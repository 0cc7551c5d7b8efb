"""Exports models, versions, sources and results as entities of Apache Atlas."""
