"""The history before the stream: from a raw data file or simulated."""
