"""Run the example: poll, capture, copy, merge, train, score, monitor, and show what the monitor found."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sqlalchemy.exc import SQLAlchemyError

from driftline import DriftlineError
from driftline.client import Monitor
from examples.entry_points import run_main
from examples.lakehouse import training
from examples.lakehouse.comparison import differences
from examples.lakehouse.hudi.step import fill_tables
from examples.lakehouse.lake import lake_session
from examples.lakehouse.maintenance import compact, describe_history
from examples.lakehouse.model import AT, ID, LABEL, PREDICTION
from examples.lakehouse.orders import MODEL
from examples.lakehouse.pipeline import Pipeline, start_pipeline
from examples.lakehouse.poller import UnknownField, add_promised_hours, poll_until
from examples.lakehouse.scoring import OrderScoring, SentChanges
from examples.lakehouse.simulation import SHORT, Plan
from examples.monitor_api import MONITOR_LOG, NotInTime, alert_delivered, call, erase_rows, poll, wait_for
from examples.servers import CHANNEL, Servers, add_server_options, keep_options, start_servers, tell
from examples.verdicts import chunk_lines
from examples.webhook_receiver import receiving

SPEC = Path(__file__).with_name("spec.yaml")
EQUAL_SECONDS, STORED_SECONDS, ALERT_SECONDS = 600, 300, 120
COMPARED_EVERY = 0.5
"""Seconds between two comparisons with the source, which take time from the stream."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; again, it finds everything as it is and adds nothing."""
    options = _parser().parse_args(arguments)
    plan = SHORT if options.short else Plan()
    if options.calm:
        plan = replace(plan, version_2_from=None)
    keep_options(options.var.resolve() / MODEL, {"calm": options.calm, "short": options.short})
    with receiving() as (receiver, address):
        servers = start_servers(options, ("monitor",), alerts=address, kafka=True)
        receiver.key = servers.hook_key
        _run(servers, plan, hudi=not options.without_hudi, upkeep=not options.short)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.lakehouse", description=__doc__)
    add_server_options(parser)
    parser.add_argument("--calm", action="store_true", help="leave the API at its version 1")
    parser.add_argument("--short", action="store_true", help="take fewer orders, without upkeep, in a --var of its own")
    parser.add_argument("--without-hudi", action="store_true", help="leave the Hudi tables out")
    return parser


def _run(servers: Servers, plan: Plan, *, hudi: bool, upkeep: bool) -> None:
    """Take all steps with servers that run."""
    pipeline = start_pipeline(servers, plan)
    tell(f"The shop is simulated: {pipeline.api_address}")
    port, password = pipeline.database.port, pipeline.catalogue_password
    with lake_session("lakehouse", pipeline.objects, port, password) as spark:
        pipeline.wait_until_ready()
        _advance(pipeline, spark, plan.monitored_begin)
        tell(training.train_model(spark, plan, pipeline.folder))
        tell(_registered(servers, pipeline.folder))
        for instant in _steps(plan):
            _advance(pipeline, spark, instant)
            sent = score(servers, pipeline, spark)
            tell(f"{sent.scored:,} orders scored; the monitor erased {sent.erased:,} that were removed.")
        computed = partial(_computed, servers, plan)
        chunks = wait_for(computed, "The chunk of the last day", STORED_SECONDS, log=MONITOR_LOG)
        for line in (*describe_history(spark), *compact(spark)) if upkeep else ():
            tell(line)
    for line in chunk_lines(chunks):
        tell(line)
    _show_end(servers, plan)
    for line in fill_tables(pipeline.objects, servers.kafka, pipeline.folder) if hudi else ():
        tell(line)


def _steps(plan: Plan) -> Iterator[datetime]:
    """Yield the instants until which orders are polled and scored: each week, and when the last one is delivered."""
    instant = plan.monitored_begin
    while (instant := instant + timedelta(weeks=1)) < plan.monitored_end:
        yield instant
    yield from (plan.monitored_end, plan.end)


def _advance(pipeline: Pipeline, spark: SparkSession, instant: datetime) -> None:
    """Poll the API until an instant, and wait until the copy and the lake have the same rows as the shop's database."""
    stored = _poll(pipeline, instant)
    tell(f"{stored:,} changes polled until {instant:%Y-%m-%d}.")
    lines: list[str] = []

    def equal() -> bool | None:
        pipeline.connect.runs()
        if not pipeline.has_applied_all():  # without it, the lake is not worth reading
            return None
        lines[:] = differences(pipeline.database, spark)
        return not lines or None

    try:
        wait_for(equal, "Equality", EQUAL_SECONDS, every=COMPARED_EVERY, process=pipeline.stream)
    except NotInTime as error:
        raise NotInTime(error.message, details=tuple(lines)) from error
    tell("Shop, copy and lake have the same rows.")


def _poll(pipeline: Pipeline, instant: datetime) -> int:
    """Store the API's changes; where its version 2 begins, the owner of the table adds the column that it brings."""
    engine = pipeline.database.engine("poller")
    try:
        return poll_until(pipeline.api_address, engine, instant)
    except UnknownField as error:
        tell(f"{error} It is added.")
        add_promised_hours(pipeline.database.engine("owner"))
        return poll_until(pipeline.api_address, engine, instant)
    finally:
        engine.dispose()


def _registered(servers: Servers, folder: Path) -> str:
    """Register the model; the same one again is the same version."""
    output = servers.run(
        "-m", "driftline", "models", "add", MODEL, str(folder / training.REFERENCE), "--timestamp", AT, "--id", ID,
        "--label", LABEL, "--prediction", PREDICTION, "--spec", str(SPEC), "--yes",
    )  # fmt: skip
    return output.splitlines()[-1]


def score(servers: Servers, pipeline: Pipeline, spark: SparkSession) -> SentChanges:
    """Send the monitor what has changed in the lake since the last time, and return how much."""
    erase = partial(erase_rows, servers.monitor, MODEL)
    with Monitor(servers.monitor, MODEL, spool=pipeline.folder / "spool") as monitor:
        model = training.load_model(pipeline.folder)
        return OrderScoring(model, monitor, erase, pipeline.plan.monitored_begin).score(spark)


def _computed(servers: Servers, plan: Plan) -> Any:
    """Poll, and return the chunks if there is one of the last day."""
    poll(servers.monitor)
    chunks = call(servers.monitor, f"/api/v1/models/{MODEL}/chunks", **{"from": plan.monitored_begin.isoformat()})
    last = f"{plan.monitored_end - timedelta(days=1):%Y-%m-%d}"
    return chunks["chunks"] if any(chunk["start"].startswith(last) for chunk in chunks["chunks"]) else None


def _show_end(servers: Servers, plan: Plan) -> None:
    if plan.version_2_begin:
        tell(f"The API's version 2 began on {plan.version_2_begin:%Y-%m-%d}: distance is in metres.")
        if servers.hook_key:
            tell(f"Alert delivered: {alert_delivered(servers.monitor, CHANNEL, MODEL, ALERT_SECONDS)['headline']}")
    tell(f"Dashboard: {servers.monitor}/models/{MODEL}")


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError, KafkaException, PySparkException, SQLAlchemyError))
