"""The statistics of an exploration, added up over chunks of rows. No I/O here."""
