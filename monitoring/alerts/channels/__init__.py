"""Channels: where alerts are sent to, one module for each kind."""
