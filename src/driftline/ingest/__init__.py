"""The only way in for predictions, labels, corrections and deletions."""
