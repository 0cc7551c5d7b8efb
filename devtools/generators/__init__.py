"""Files that are written from tables."""
