"""From rows to the numbers of a chunk: fitted methods, summaries, outcomes. No I/O here."""
