"""How many examples a law is tried on: by default as many as the profile of `tests/conftest.py` says."""

from hypothesis import settings

FEW = max(2, settings().max_examples // 3)
"""For laws of which one example takes a tenth of a second."""
