"""Run the monitor: `python -m monitoring`."""

from waitress import serve

from driftline import logs
from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings


def main() -> None:
    """Serve on loopback until told to stop."""
    logs.configure("monitor")
    settings = MonitorSettings()
    serve(create_app(settings, DatabaseSettings()), host="127.0.0.1", port=settings.port, threads=8, ident=None)


if __name__ == "__main__":
    main()
