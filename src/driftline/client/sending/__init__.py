"""Sends the batches of the spool to the monitor, and tries again after failures."""
