"""The archive: closed chunks' rows in Parquet objects, by the retention of each model."""
