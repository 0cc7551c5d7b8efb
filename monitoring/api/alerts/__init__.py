"""The routes of channels and deliveries, and their schemas."""
