"""How predictions are sent, read from other systems, and stored."""
