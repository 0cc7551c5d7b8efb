"""The serving service: predictions of registered models over REST and WebSocket."""
