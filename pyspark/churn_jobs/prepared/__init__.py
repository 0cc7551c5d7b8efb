"""Prepared days: features, files and the table `Processed_Data`."""
