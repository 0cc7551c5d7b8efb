"""Compute the pending chunks of models with a long history: Spark summarizes, a poll stores the results."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from churn_jobs.command import run, start
from churn_jobs.progress import each, say, step
from churn_jobs.spark.job import Job
from driftline.clock import utc_now


def main(model: Annotated[str | None, typer.Option(help="Name of the model (default: all).")] = None) -> None:
    """Compute all pending chunks with Spark; the results are those of the monitor's poll."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from monitoring.history import History  # noqa: PLC0415  (the path has only the script's folder before)

    def compute(job: Job) -> None:
        with step("monitor_history"), job.open_spark() as jdbc:
            summary = History(job.engine, jdbc.database, jdbc.spark.sparkContext, utc_now, each).run(model)
        say(f"{summary.chunks:,} chunks computed, {summary.verdicts:,} verdicts changed, {summary.failed:,} failed")

    run("monitor_history", compute)


if __name__ == "__main__":
    start(main)
