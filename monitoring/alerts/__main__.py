"""Check and try alert channels: `python -m monitoring.alerts check|test|deliveries|retry|schema`."""

import argparse
import logging
import sys
from pathlib import Path

from driftline import clock, logs
from driftline.errors import DriftlineError
from driftline.store import migrate
from monitoring.alerts.channels.outbound import DeliveryFailed
from monitoring.alerts.channels.secrets import SecretFolder
from monitoring.alerts.configuration import read_file
from monitoring.alerts.delivery_store import DeliveryFilter, DeliveryState
from monitoring.alerts.messages.alert import delivery_json_schema
from monitoring.alerts.messages.wording import headline
from monitoring.alerts.service import AlertService
from monitoring.settings import MonitorSettings

log = logging.getLogger("monitoring.alerts")


def main() -> None:
    """Run one command; report what is wrong in one message, and exit with status 2, or 1 for a channel that failed."""
    options = _parser().parse_args()
    logs.configure("alerts")
    try:
        if options.command == "check":
            _check(options.file)
        elif options.command == "schema":
            sys.stdout.write(delivery_json_schema())
        else:
            _run(_alert_service(), options)
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the commands `check`, `test`, `deliveries`, `schema` and `retry`."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.alerts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check the file of channels and routes, and their secrets; send nothing")
    check.add_argument("file", type=Path)
    test = commands.add_parser("test", help="send a test message")
    test.add_argument("channel")
    listed = commands.add_parser("deliveries", help="list the newest deliveries")
    listed.add_argument("--channel")
    listed.add_argument("--state", type=DeliveryState, choices=tuple(DeliveryState))
    commands.add_parser("schema", help="print the JSON Schema of the signed webhook's body")
    retry = commands.add_parser("retry", help="have a dead letter sent again")
    retry.add_argument("number", type=int)
    return parser


def _alert_service() -> AlertService:
    return AlertService.of_settings(MonitorSettings(), migrate.current_engine(), clock.utc_now)


def _check(path: Path) -> None:
    """Log each channel with its routes; raise `DeliveryFailed` for the first secret that cannot be read."""
    configuration = read_file(path)
    secrets = SecretFolder.of_settings(MonitorSettings())
    for name, channel in configuration.channels.items():
        secret = getattr(channel, "secret", None)
        if secret is not None:
            try:
                secrets.read(secret)
            except DeliveryFailed as error:
                raise DeliveryFailed(f"Channel {name}: {error.message}") from error
        models = [pattern for route in configuration.routes if name in route.channels for pattern in route.models]
        log.info("Channel %s (%s) takes the models %s.", name, channel.type, ", ".join(models))


def _run(alert_service: AlertService, options: argparse.Namespace) -> None:
    """Run a command that needs the database."""
    if options.command == "test":
        outcome = alert_service.test(options.channel)
        log.info("Channel %s: %s. %s", outcome.channel, outcome.state, outcome.problem or "")
        if outcome.state is not DeliveryState.DELIVERED:
            raise SystemExit(1)
    elif options.command == "retry":
        alert_service.retry(options.number)
        log.info("Delivery %d is sent again.", options.number)
    else:
        for delivery in alert_service.deliveries(DeliveryFilter(options.channel, options.state)):
            words = headline(delivery.alert)
            log.info(
                "%d %s %s: %s %s", delivery.number, delivery.channel, delivery.state, words, delivery.problem or ""
            )


if __name__ == "__main__":
    main()
