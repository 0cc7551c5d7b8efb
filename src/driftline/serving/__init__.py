"""Serving an app over HTTP or HTTPS; `server.serve` is all that a service calls."""
