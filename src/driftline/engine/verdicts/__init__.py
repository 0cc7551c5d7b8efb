"""From the results of a chunk and its neighbors to its verdict. No I/O here."""
