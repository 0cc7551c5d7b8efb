"""Provides VictoriaMetrics and InfluxDB for tests: the system's, or unpacked from their packages."""

from stack import paths
from stack.setup.debian.debian_packages import UnpackedPrograms

PROGRAMS = UnpackedPrograms(
    paths.BUILD / "time_series", {"victoria-metrics": "victoria-metrics", "influxd": "influxdb"}
)
"""The programs by the package that has them, as Debian names both."""


def reason_missing() -> str | None:
    """Return why there is no time series database, after an attempt to unpack them; None if there are."""
    if PROGRAMS.provide():
        return None
    return f"VictoriaMetrics and InfluxDB are missing and cannot be downloaded: {PROGRAMS.cure}."
