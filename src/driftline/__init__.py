"""Driftline watches models in production: how well they do, what has drifted, and whether the answer can be trusted."""

__version__ = "0.1.0"
