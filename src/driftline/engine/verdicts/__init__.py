"""From the results of a chunk and its neighbours to its verdict. No I/O here."""
