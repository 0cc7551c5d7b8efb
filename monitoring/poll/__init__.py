"""The poll: from pending batches to stored results and verdicts."""
