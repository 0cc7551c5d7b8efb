"""Ingest predictions and labels from Kafka: `python -m monitoring.ingest`."""

import argparse
import logging
import signal
from threading import Event

from driftline import clock, logs
from driftline.errors import DriftlineError
from driftline.ingest.ingestion import Ingestion
from driftline.settings import DatabaseSettings, KafkaSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from monitoring.ingest.kafka_source import KafkaSource
from monitoring.ingest.settings import IngestSettings

log = logging.getLogger("monitoring.ingest")


def main() -> None:
    """Read until interrupted; report an invalid setting in one message and exit with status 2."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.ingest", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop at the present end of the topics")
    options = parser.parse_args()
    logs.configure("ingest")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        engine = make_engine(DatabaseSettings())
        migrate.require_current(engine)
        source = KafkaSource(IngestSettings(), KafkaSettings(), Ingestion(engine, clock.utc_now))
        if options.once:
            stored = source.run_to_end()
            log.info("%d rows stored, %d dead letters.", stored.rows, stored.dead_letters)
        else:
            source.run(stop)
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
