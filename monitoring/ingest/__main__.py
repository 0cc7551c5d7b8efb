"""Ingest predictions and labels from Kafka or from SQL: `python -m monitoring.ingest [kafka|sql FILE]`."""

import argparse
import logging
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from driftline import clock, logs
from driftline.errors import DriftlineError
from driftline.ingest.ingestion import Ingestion
from driftline.lineage.start import lineage_recorded
from driftline.store import migrate
from driftline.traces.start import traced
from driftline.worker import stop_on_signals

log = logging.getLogger("monitoring.ingest")

DATABASE_CONNECTIONS = 20
"""How many connections are kept: each source of the file has a thread."""


def main() -> None:
    """Read until interrupted; report an invalid setting in one message and exit with status 2."""
    options = _parser().parse_args()
    logs.configure("ingest")
    stop = stop_on_signals()
    try:
        with traced("ingest"), lineage_recorded():
            ingestion = Ingestion(migrate.current_engine(pool_size=DATABASE_CONNECTIONS), clock.utc_now)
            if options.command == "sql":
                _read_sql(ingestion, options, stop)
            else:
                _read_kafka(ingestion, stop, once=options.once)
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the commands `kafka` and `sql`."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.ingest", description=__doc__)
    once = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    once.add_argument("--once", action="store_true", help="read what there is, and end")
    parser.add_argument("--once", action="store_true", help="Kafka: read what there is, and end")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("kafka", parents=[once], help="read topics (the default)")
    sql = commands.add_parser("sql", parents=[once], help="read tables and queries of MySQL")
    sql.add_argument("file", type=Path, help="YAML file that describes them")
    sql.add_argument("--check", action="store_true", help="check the first rows of each, and store nothing")
    sql.add_argument("--since", type=_instant, help="begin at this time, not where the last process ended")
    sql.add_argument("--every", type=float, default=10.0, help="seconds between two reads (default 10)")
    return parser


def _instant(text: str) -> datetime:
    """Return a time of the command line; one without an offset is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_kafka(ingestion: Ingestion, stop: Event, *, once: bool) -> None:
    from driftline.settings import KafkaSettings  # noqa: PLC0415
    from monitoring.ingest.kafka_source import KafkaSource  # noqa: PLC0415  (a monitor without Kafka has no client)
    from monitoring.ingest.settings import IngestSettings  # noqa: PLC0415

    source = KafkaSource(IngestSettings(), KafkaSettings(), ingestion)
    if once:
        stored = source.run_to_end()
        log.info("%d rows stored, %d dead letters.", stored.rows, stored.dead_letters)
    else:
        source.run(stop)


def _read_sql(ingestion: Ingestion, options: argparse.Namespace, stop: Event) -> None:
    """Check the sources of a file, read them once, or read them until `stop` is set, as the options say."""
    from monitoring.ingest.settings import SqlSettings  # noqa: PLC0415
    from monitoring.ingest.sql_config import read_file  # noqa: PLC0415
    from monitoring.ingest.sql_source import SqlSource, run_all  # noqa: PLC0415

    url = SqlSettings().url
    sources = [SqlSource(config, url, ingestion) for config in read_file(options.file)]
    if options.check:
        for source in sources:
            log.info("%s: the first %d rows are valid.", source.config.name, source.check())
    elif options.once:
        for source in sources:
            counts = source.read(stop, options.since)
            log.info("%s: %d rows sent, %d refused in all.", source.config.name, counts.rows, counts.refused)
    else:
        run_all(sources, stop, options.every, options.since)


if __name__ == "__main__":
    main()
