"""The stream: requested, planned, written batch by batch."""
