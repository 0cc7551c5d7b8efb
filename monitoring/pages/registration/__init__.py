"""The pages that register a model from an uploaded reference."""
