"""The monitor's metrics for Prometheus."""
