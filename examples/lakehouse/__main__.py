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
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from driftline import DriftlineError, lineage
from driftline.client import Monitor
from examples.entry_points import run_main
from examples.lakehouse import lineage as datasets
from examples.lakehouse.comparison import differences
from examples.lakehouse.hudi.step import fill_tables
from examples.lakehouse.lake.iceberg import SCORED, TRAINED, lake_session, references
from examples.lakehouse.lake.maintenance import compact, describe_history
from examples.lakehouse.model import training
from examples.lakehouse.model.delivery_model import AT, ID, LABEL, PREDICTION
from examples.lakehouse.model.scoring import OrderScoring, SentChanges
from examples.lakehouse.pipeline import Pipeline, start_pipeline
from examples.lakehouse.shop.orders import COPY, MODEL
from examples.lakehouse.shop.poller import UnknownField, add_promised_hours, poll_until
from examples.lakehouse.shop.simulation import SHORT, ShopPlan
from examples.monitor_api import MONITOR_LOG, NotInTime, alert_delivered, call, erase_rows, poll, wait_for
from examples.run import servers_of_run
from examples.servers import CHANNEL, LINEAGE_FILE, Servers, add_server_options, tell
from examples.verdicts import chunk_lines

SPEC = Path(__file__).with_name("spec.yaml")
EQUAL_SECONDS, STORED_SECONDS, ALERT_SECONDS = 600, 300, 120
COMPARED_EVERY = 0.5
"""Seconds between two comparisons with the source, which take time from the stream."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; again, it finds everything as it is and adds nothing."""
    options = _parser().parse_args(arguments)
    plan = SHORT if options.short else ShopPlan()
    if options.calm:
        plan = replace(plan, version_2_from=None)
    data_options = {"calm": options.calm, "short": options.short}
    with (
        servers_of_run(options, MODEL, data_options, ("monitor",), kafka=True) as servers,
        lineage.lineage_recorded(_lineage_settings(servers)),
    ):
        _run(servers, plan, hudi=not options.without_hudi, upkeep=not options.short)
    return 0


def _lineage_settings(servers: Servers) -> lineage.LineageSettings:
    """Return where the events of this process go: where those of the servers do."""
    file = servers.environment.get(LINEAGE_FILE)
    return lineage.LineageSettings(file=Path(file)) if file else lineage.LineageSettings()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.lakehouse", description=__doc__)
    add_server_options(parser)
    parser.add_argument("--calm", action="store_true", help="leave the API at its version 1")
    parser.add_argument("--short", action="store_true", help="take fewer orders, without upkeep, in a --var of its own")
    parser.add_argument("--without-hudi", action="store_true", help="leave the Hudi tables out")
    return parser


def _run(servers: Servers, plan: ShopPlan, *, hudi: bool, upkeep: bool) -> None:
    """Take all steps with servers that run."""
    pipeline = start_pipeline(servers, plan)
    tell(f"The shop is simulated: {pipeline.api_address}")
    port, password = pipeline.database.port, pipeline.catalogue_password
    with lake_session("lakehouse", pipeline.objects, port, password) as spark:
        pipeline.wait_until_ready()
        _advance(pipeline, spark, plan.monitored_begin)
        tell(_trained(pipeline, spark))
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
    if hudi:
        _fill_hudi_tables(servers, pipeline)


def _fill_hudi_tables(servers: Servers, pipeline: Pipeline) -> None:
    """Fill the Hudi tables from the topic, and tell about them."""
    with lineage.run(datasets.HUDI):
        lineage.read(datasets.change_topic(servers.kafka))
        for line in fill_tables(pipeline.objects, servers.kafka, pipeline.folder):
            tell(line)
        lineage.wrote(datasets.hudi_tables(pipeline.objects.address))


def _steps(plan: ShopPlan) -> Iterator[datetime]:
    """Yield the instants until which orders are polled and scored: each week, and when the last one is delivered."""
    instant = plan.monitored_begin
    while (instant := instant + timedelta(weeks=1)) < plan.end:
        yield instant
    yield plan.end


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
        with lineage.run(datasets.CONNECT):
            lineage.read(datasets.shop_orders(pipeline.database.port))
            wait_for(equal, "Equality", EQUAL_SECONDS, every=COMPARED_EVERY, process=pipeline.stream)
            copy = datasets.shop_orders(pipeline.database.port, COPY)
            lineage.wrote(datasets.change_topic(pipeline.connect.kafka), copy)
    except NotInTime as error:
        raise NotInTime(error.message, details=tuple(lines)) from error
    tell("Shop, copy and lake have the same rows.")


def _poll(pipeline: Pipeline, instant: datetime) -> int:
    """Store the API's changes; where its version 2 begins, the owner of the table adds the column that it brings."""
    engine = pipeline.database.engine("poller")
    try:
        return _poll_once(pipeline, engine, instant)
    except UnknownField as error:
        tell(f"{error} It is added.")
        add_promised_hours(pipeline.database.engine("owner"))
        return _poll_once(pipeline, engine, instant)
    finally:
        engine.dispose()


def _poll_once(pipeline: Pipeline, engine: Engine, instant: datetime) -> int:
    with lineage.run(datasets.POLLER):
        stored = poll_until(pipeline.api_address, engine, instant)
        lineage.read(datasets.api_changes(pipeline.api_address, rows=stored))
        lineage.wrote(datasets.shop_orders(pipeline.database.port, rows=stored))
    return stored


def _trained(pipeline: Pipeline, spark: SparkSession) -> str:
    """Train the model, and return what was done."""
    with lineage.run(datasets.TRAINING):
        line = training.train_model(spark, pipeline.plan, pipeline.folder)
        lineage.read(datasets.lake_orders(pipeline.objects.address, version=_snapshot(spark, TRAINED)))
        files = (pipeline.folder / name for name in (training.MODEL_FILE, training.REFERENCE))
        lineage.wrote(*map(datasets.local_file, files))
    return line


def _snapshot(spark: SparkSession, tag: str) -> str | None:
    """Return the id of a tagged snapshot; None where no run is recorded that could name it."""
    return str(references(spark)[tag]) if lineage.is_recording() else None


def _registered(servers: Servers, folder: Path) -> str:
    """Register the model; the same one again is the same version."""
    with lineage.run(datasets.REGISTRATION):
        lineage.read(datasets.local_file(folder / training.REFERENCE))
        output = servers.run(
            "-m", "driftline", "models", "add", MODEL, str(folder / training.REFERENCE), "--timestamp", AT, "--id", ID,
            "--label", LABEL, "--prediction", PREDICTION, "--spec", str(SPEC), "--yes",
        )  # fmt: skip
        lineage.wrote(lineage.reference_of(MODEL))
    return output.splitlines()[-1]


def score(servers: Servers, pipeline: Pipeline, spark: SparkSession) -> SentChanges:
    """Send the monitor what has changed in the lake since the last time, and return how much."""
    erase = partial(erase_rows, servers.monitor, MODEL)
    file = pipeline.folder / training.MODEL_FILE
    with (
        lineage.run(datasets.SCORING),
        Monitor(servers.monitor, MODEL, spool=pipeline.folder / "spool") as monitor,
    ):
        model = training.load_model(pipeline.folder)
        sent = OrderScoring(model, monitor, erase, pipeline.plan.monitored_begin).score(spark)
        snapshot = datasets.lake_orders(pipeline.objects.address, version=_snapshot(spark, SCORED))
        lineage.read(snapshot, datasets.local_file(file))
        lineage.wrote(lineage.predictions_of(MODEL, rows=sent.scored), lineage.labels_of(MODEL))
    return sent


def _computed(servers: Servers, plan: ShopPlan) -> Any:
    """Poll, and return the chunks if there is one of the last day."""
    poll(servers.monitor)
    chunks = call(servers.monitor, f"/api/v1/models/{MODEL}/chunks", **{"from": plan.monitored_begin.isoformat()})
    last = f"{plan.monitored_end - timedelta(days=1):%Y-%m-%d}"
    return chunks["chunks"] if any(chunk["start"].startswith(last) for chunk in chunks["chunks"]) else None


def _show_end(servers: Servers, plan: ShopPlan) -> None:
    if plan.version_2_begin:
        tell(f"The API's version 2 began on {plan.version_2_begin:%Y-%m-%d}: distance is in metres.")
        if servers.hook_key:
            tell(f"Alert delivered: {alert_delivered(servers.monitor, CHANNEL, MODEL, ALERT_SECONDS)['headline']}")
    tell(f"Dashboard: {servers.monitor}/models/{MODEL}")


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError, KafkaException, PySparkException, SQLAlchemyError))
