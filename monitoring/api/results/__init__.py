"""The routes of chunks and results, and their schemas."""
