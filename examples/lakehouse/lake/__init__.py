"""The lake: Iceberg tables that the stream fills, their upkeep, and predictions that are kept in them."""
