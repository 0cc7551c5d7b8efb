"""The simulator's page: start a stream with a form, watch it, stop it."""
