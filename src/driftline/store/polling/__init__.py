"""Which chunks are pending, and when models are polled."""
