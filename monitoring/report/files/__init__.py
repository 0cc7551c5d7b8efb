"""Writes reports as files or objects: current ones after a poll, and those of a schedule."""
