"""The example's vocabulary: names of its columns, tables, view, procedure, topics and model."""
