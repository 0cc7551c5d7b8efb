"""Change data capture: Kafka Connect, the change events that it publishes, and metrics of what applies them."""
