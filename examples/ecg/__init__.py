"""Heartbeats of an electrocardiogram: two models compared, one of them monitored while beats are streamed."""
