"""The exploration as a whole: the only module that reads the environment, connects and writes files."""

import logging
from pathlib import Path

from sqlalchemy import Connection, Engine

from churn import migrate
from driftline import logs
from driftline.clock import Clock, utc_now
from driftline.errors import DriftlineError, InvalidInput
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine, translated
from eda import query_params, records
from eda.output import write_all
from eda.plots import plots
from eda.report import render
from eda.settings import ExplorationSettings
from eda.span import RequestedSpan, no_records
from eda.statistics import days
from eda.statistics.exploration import Exploration
from eda.statistics.profile import profile
from eda.steps import ProgressLog, step

log = logging.getLogger(__name__)


def main() -> int:
    """Run the exploration that the environment configures; return the exit status, 2 after a logged error."""
    logs.configure("eda")
    try:
        settings = ExplorationSettings()
        run(settings, make_engine(DatabaseSettings(), pool_size=1), utc_now)
    except DriftlineError as error:
        log.error("%s", error)
        return 2
    return 0


def run(settings: ExplorationSettings, engine: Engine, clock: Clock) -> Path:
    """Explore the range of the query parameters, write plots and report, and return the report's path.

    Raises:
        InvalidInput: the query parameters are not valid. NotFound: the range has no records.
        DatabaseUnavailable, NotMigrated: the database is unreachable or not migrated.
    """
    requested = query_params.parse(_read(settings.query_params))
    migrate.require_current(engine)
    with translated(), engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        exploration = explore(connection, requested)
    with step("drew the plots") as drawing:
        drawings = plots(exploration)
        drawing.message = f"drew {len(drawings)} plots"
    with step(f"wrote {settings.output}"):
        report = render(exploration, drawings, clock()).encode()
        write_all(settings.output, {**{plot.file_name: plot.svg for plot in drawings}, "report.html": report})
    log.info("The report is %s", settings.output / "report.html")
    return settings.output / "report.html"


def explore(connection: Connection, requested: RequestedSpan) -> Exploration:
    """Read and analyse a range within one transaction, so that all parts of the report show the same rows.

    Raises:
        NotFound: there are no records in the range; the error shows the available days.
    """
    with step("looked up the available days") as looking:
        available = records.available_span(connection)
        span = requested.within(available)
        looking.message = f"exploring {span} ({span.days} days) of {available}; requested: {requested}"
    with step("aggregated the days") as counting:
        by_day = days.from_rows(records.day_rows(connection, span), span)
        if not by_day.records:
            raise no_records(str(span), available)
        subscribers = records.count_subscribers(connection, span)
        counting.message = f"aggregated {by_day.records:,} records of {subscribers:,} subscribers by day"
    with step(f"profiled {by_day.records:,} records"):
        stream = records.chunks(connection, span, ProgressLog(by_day.records))
        profiled = profile(stream, by_day.settled_days)
    return Exploration(str(requested), available, span, subscribers, by_day, profiled)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The query parameters {path} cannot be read as text: {error}.") from error
