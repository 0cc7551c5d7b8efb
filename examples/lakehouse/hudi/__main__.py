"""Write the changes of the orders into two Hudi tables, show the tables, and maintain them.

Actions are taken in their order. Only one process may write at a time. The Python that runs this has Spark 3.5.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from examples.entry_points import run_main
from examples.lakehouse.hudi.session import hudi_session
from examples.lakehouse.hudi.show import summary, write_rows
from examples.lakehouse.hudi.tables import tables
from examples.lakehouse.hudi.upkeep import compact, forget
from examples.lakehouse.hudi.writing import Pace, Source, write

ACTIONS = ("write", "show", "rows", "compact", "forget")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the actions and print what was done."""
    options = _parser().parse_args(arguments)
    with hudi_session(options.jars) as spark:
        for action in options.actions:
            for line in _taken(action, spark, options):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    return 0


def _taken(action: str, spark: SparkSession, options: argparse.Namespace) -> Iterable[str]:
    """Take an action and yield the lines about it."""
    if action == "write":
        source = Source(options.kafka, options.topic, options.most)
        write(spark, tables(options.root), options.checkpoint, source, Pace(options.every, options.metrics_port))
        return
    for table in tables(options.root):
        if not table.instants(spark):
            yield f"{table.name}: there is no table in {table.path} yet; `write` makes it"
        elif action == "show":
            yield from summary(spark, table)
        elif action == "rows":
            write_rows(spark, table, options.folder)
        elif action == "compact":
            yield from compact(spark, table)
        else:
            yield from forget(spark, table, options.days)


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the program's arguments; the help of an option names the action that reads it."""
    parser = argparse.ArgumentParser(prog="python -m examples.lakehouse.hudi", description=__doc__)
    parser.add_argument("root", help="address of the tables: s3a://BUCKET/..., or a folder")
    parser.add_argument("actions", nargs="+", choices=ACTIONS)
    parser.add_argument("--jars", required=True, type=Path, help="folder of the jars")
    parser.add_argument("--kafka", help="write: address of a broker")
    parser.add_argument("--topic", help="write: topic of the changes")
    parser.add_argument("--checkpoint", type=Path, help="write: folder of the offsets")
    parser.add_argument("--most", type=int, default=10_000, help="write: most messages of a batch (default: 10,000)")
    parser.add_argument("--every", type=float, help="write: seconds between batches; without it, end with the topic")
    parser.add_argument("--metrics-port", type=int, help="write: port of the metrics for Prometheus, on loopback")
    parser.add_argument("--folder", type=Path, help="rows: folder for a folder of Parquet files of each table's orders")
    parser.add_argument("--days", type=float, default=7, help="forget: age of the deletions to forget (default: 7)")
    return parser


if __name__ == "__main__":
    sys.exit(run_main(main, PySparkException))
