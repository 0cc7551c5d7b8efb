"""The work of the one-off containers in the compose files."""
