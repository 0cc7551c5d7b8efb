"""The folder in which batches wait, and the processes that append to it."""
