"""What a poll stores of each chunk: revisions, verdicts, evidence and summaries."""
