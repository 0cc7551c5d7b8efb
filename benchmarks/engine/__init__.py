"""The engine against NannyML, on the same rows, for the same numbers."""
