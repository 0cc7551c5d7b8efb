"""Summary statistics of continuous columns: numbers to look at, which no verdict reads. No I/O here."""
