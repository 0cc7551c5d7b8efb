"""The routes of models, versions and schedules, and their schemas."""
