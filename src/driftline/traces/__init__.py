"""OpenTelemetry traces of requests, polls and statements; without an address nothing is recorded or imported."""
