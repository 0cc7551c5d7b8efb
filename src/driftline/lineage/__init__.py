"""OpenLineage events of jobs, batches and polls; without a receiver nothing is recorded or imported."""
