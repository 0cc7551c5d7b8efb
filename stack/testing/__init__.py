"""Real servers for tests, as pytest fixtures."""
