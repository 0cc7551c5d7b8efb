"""What the compose files' one-off containers do."""
