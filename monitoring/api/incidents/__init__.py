"""The routes of incidents and their schemas."""
