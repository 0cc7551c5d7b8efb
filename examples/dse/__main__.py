"""Run the example: train, register, replay days into Kafka, score them with Spark, and show what the monitor found."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from confluent_kafka import KafkaException
from pyspark.errors import PySparkException

from driftline import DriftlineError, InvalidInput
from driftline.client import Monitor
from examples.dse import training
from examples.dse.index_file import read_index
from examples.dse.model import IndexModel
from examples.dse.replay import replay
from examples.dse.scoring import StreamScoring, score_stream
from examples.dse.simulation import simulate_index
from examples.dse.topic_days import TOPIC
from examples.dse.trading_calendar import HOLIDAYS_HELP, TradingCalendar, differences, read_calendar
from examples.entry_points import run_main
from examples.kafka_topics import create_topics
from examples.monitor_api import MONITOR_LOG, alert_delivered, call, poll, wait_for
from examples.run import servers_of_run
from examples.servers import CHANNEL, Servers, add_server_options, tell
from examples.spark_sessions import kafka_jars, spark_session
from examples.verdicts import chunk_lines

MODEL = "dse"
SPEC = Path(__file__).with_name("spec.yaml")
FIRST, LAST = date(2008, 1, 1), date(2023, 12, 31)
STREAM_FROM, TURBULENT_FROM = pd.Timestamp("2020-01-01"), date(2021, 7, 1)
STORED_SECONDS, ALERT_SECONDS = 300, 120
FIRST_VERSION = "1"
"""The version whose chunks are shown: the reference of a retrained one has days of the stream."""
MOST_BEFORE = 60
"""Days before the stream that are stored for its first windows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; again, it finds everything as it is and adds nothing."""
    options = _parser().parse_args(arguments)
    calendar = read_calendar(options.holidays) if options.holidays else TradingCalendar()
    days = read_index(options.file) if options.file else _simulated(options, calendar)
    _check_begin(days, options.stream_from)
    training.split(days[days["date"] < options.stream_from], calendar)
    with servers_of_run(options, MODEL, _kept(options), ("monitor",), kafka=True) as servers:
        for line in differences((day.date() for day in days["date"]), calendar):
            tell(line)
        _run(servers, days, options.stream_from, calendar)
    return 0


def _run(servers: Servers, days: pd.DataFrame, stream_from: pd.Timestamp, calendar: TradingCalendar) -> None:
    """Take all steps with servers that run."""
    folder = servers.var / MODEL
    folder.mkdir(exist_ok=True)
    earlier, streamed = days[days["date"] < stream_from], days[days["date"] >= stream_from]
    tell(training.train_on(training.kept_days(folder, earlier), folder, calendar).rstrip())
    tell(_registered(servers, folder))
    _score(servers, folder, earlier, streamed, calendar)
    computed = partial(_computed, servers, streamed)
    chunks = wait_for(computed, "The chunk of the last day", STORED_SECONDS, log=MONITOR_LOG)
    for line in chunk_lines(chunks):
        tell(line)
    if servers.hook_key and any(chunk["verdict"] == "alert" for chunk in chunks):
        tell(f"Alert delivered: {alert_delivered(servers.monitor, CHANNEL, MODEL, ALERT_SECONDS)['headline']}")
    tell(f"Dashboard: {servers.monitor}/models/{MODEL}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.dse", description=__doc__)
    add_server_options(parser)
    parser.add_argument("--file", type=Path, help="an export of an index's days, instead of a simulated index")
    parser.add_argument("--stream-from", type=_day, default=STREAM_FROM, help="the first day of the stream")
    parser.add_argument("--holidays", type=Path, help=HOLIDAYS_HELP)
    parser.add_argument("--calm", action="store_true", help="simulate no other regime")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _day(text: str) -> pd.Timestamp:
    """Return the day of a date such as 2020-01-01; argparse refuses any other text."""
    return pd.Timestamp(date.fromisoformat(text))


def _check_begin(days: pd.DataFrame, stream_from: pd.Timestamp) -> None:
    """Raise `InvalidInput` unless there are days before the stream, which train the model, and days in it."""
    first, last = days["date"].min(), days["date"].max()
    if not first < stream_from <= last:
        raise InvalidInput(
            f"--stream-from is {stream_from:%Y-%m-%d}, and the days are {first:%Y-%m-%d} to {last:%Y-%m-%d}; "
            "give a day after the first one that is not after the last one."
        )


def _kept(options: argparse.Namespace) -> dict[str, str | int | None]:
    """Return the options that decide which days there are and which are streamed."""
    file, holidays = (path and str(path.resolve()) for path in (options.file, options.holidays))
    stream_from = f"{options.stream_from:%Y-%m-%d}"
    return {
        "file": file,
        "stream-from": stream_from,
        "holidays": holidays,
        "calm": options.calm,
        "seed": options.seed,
    }


def _simulated(options: argparse.Namespace, calendar: TradingCalendar) -> pd.DataFrame:
    turbulent_from = None if options.calm else TURBULENT_FROM
    tell("The index is simulated." + ("" if options.calm else f" Another regime begins on {turbulent_from}."))
    return simulate_index(FIRST, LAST, turbulent_from=turbulent_from, seed=options.seed, calendar=calendar)


def _registered(servers: Servers, folder: Path) -> str:
    """Register the model; the same one again is the same version."""
    output = servers.run(
        "-m", "driftline", "models", "add", MODEL, str(folder / training.REFERENCE), "--timestamp", "at", "--id", "id",
        "--label", "up", "--score", "score", "--prediction", "prediction", "--spec", str(SPEC), "--yes",
    )  # fmt: skip
    return output.splitlines()[-1]


def _score(
    servers: Servers, folder: Path, earlier: pd.DataFrame, streamed: pd.DataFrame, calendar: TradingCalendar
) -> None:
    """Replay the days of the stream, and score what the topic has."""
    create_topics(servers.kafka, TOPIC)
    tell(f"{replay(streamed, servers.kafka):,} days sent to {TOPIC}.")
    with (
        spark_session("dse", kafka_jars()) as spark,
        Monitor(servers.monitor, MODEL, spool=folder / "spool") as monitor,
    ):
        model = IndexModel.load(folder / training.MODEL)
        scoring = StreamScoring(model, calendar, monitor, folder / "history")
        scoring.start(spark, earlier.tail(MOST_BEFORE))
        score_stream(spark, scoring, servers.kafka, folder / "checkpoint")


def _computed(servers: Servers, streamed: pd.DataFrame) -> Any:
    """Poll, and return the chunks if all days that were predicted are in them."""
    poll(servers.monitor)
    first = f"{streamed['date'].min().to_period('Q').start_time:%Y-%m-%d}"  # the quarter that has the first day
    span = {"from": first, "version": FIRST_VERSION}
    chunks = call(servers.monitor, f"/api/v1/models/{MODEL}/chunks", **span)["chunks"]
    return chunks if sum(chunk["rows"] for chunk in chunks) == len(streamed) else None


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError, KafkaException, PySparkException))
