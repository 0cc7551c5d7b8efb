"""What the pages of a model show: its chunks, columns, data quality, history and versions."""
