"""From the numbers of a chunk to results, compared with the reference. No I/O here."""
