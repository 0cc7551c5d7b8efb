"""Files of predictions or labels: cut into batches, ingested, watched."""
