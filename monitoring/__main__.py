"""Run the monitor: `python -m monitoring`, or a poller beside it: `python -m monitoring poll [--once]`."""

import argparse
import logging

from driftline import logs
from driftline.errors import DriftlineError
from driftline.lineage.start import lineage_recorded
from driftline.settings import DatabaseSettings, TlsSettings
from driftline.traces.start import traced
from monitoring.settings import MonitorSettings

log = logging.getLogger("monitoring")


def main() -> None:
    """Serve or poll until interrupted; report an invalid setting in one message and exit with status 2."""
    options = _parser().parse_args()
    try:
        if options.command == "poll":
            _poll(once=options.once)
        else:
            _serve()
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="poll, and serve the API and the dashboard (the default)")
    poll = commands.add_parser("poll", help="poll without serving; any number of pollers share the work")
    poll.add_argument("--once", action="store_true", help="compute what is due, and end")
    return parser


def _serve() -> None:
    from driftline.http.server.server import serve  # noqa: PLC0415
    from monitoring.app import create_app  # noqa: PLC0415  (a poller needs no Flask)

    logs.configure("monitor")
    settings, tls = MonitorSettings(), TlsSettings()
    with traced("monitor"), lineage_recorded():
        serve(create_app(settings, DatabaseSettings()), settings.host, settings.port, tls)


def _poll(*, once: bool) -> None:
    from monitoring.poll_worker import run  # noqa: PLC0415

    logs.configure("poller")
    with traced("poller"), lineage_recorded():
        run(MonitorSettings(), once=once)


if __name__ == "__main__":
    main()
