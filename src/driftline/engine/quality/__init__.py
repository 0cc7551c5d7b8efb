"""Data quality: faults of columns and of a chunk as a whole, one method a file. No I/O here."""
