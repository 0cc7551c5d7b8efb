"""The ETL in Spark: cut the beats out of the signal, in millivolts without their baseline, into Parquet.

Spark reads and writes files of a temporary folder; objects are copied from and to the store around it, as the project's
jobs do.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import fsspec
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.ecg.record.features import BEFORE, RATE, SAMPLES
from examples.ecg.record.upload import ANNOTATIONS, RAW, SIGNAL
from examples.spark_sessions import spark_session

BEATS, MADE_OF = "beats/record_100.parquet", "beats/made_of.sha256"
"""The result in the object store, and the hash of what it was made of."""
UNITS_PER_MILLIVOLT, EARLIER = 200.0, 8
"""The gain of the record; the beats whose mean interval is compared with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the beats of an object store, unless they were made of the same objects."""
    parser = argparse.ArgumentParser(prog="python -m examples.ecg.record.etl", description=__doc__)
    parser.add_argument("objects", help="address of the object store: s3://BUCKET, or a folder")
    sys.stdout.write(make_beats(parser.parse_args(arguments).objects))
    return 0


def make_beats(objects: str) -> str:
    """Make the beats if they are missing or their raw objects have changed, and return what was done."""
    files, root = fsspec.url_to_fs(objects)
    raw = {name: files.cat_file(f"{root}/{RAW}/{name}") for name in (SIGNAL, ANNOTATIONS)}
    content = hashlib.sha256(b"".join([*raw.values(), Path(__file__).read_bytes()])).hexdigest()
    if files.exists(f"{root}/{MADE_OF}") and files.cat_file(f"{root}/{MADE_OF}").decode() == content:
        return "The beats are up to date.\n"
    with tempfile.TemporaryDirectory() as name, spark_session("ecg") as spark:
        folder = Path(name)
        for file, data in raw.items():
            (folder / file).write_bytes(data)
        beats = cut_beats(read_signal(spark, folder / SIGNAL), read_annotations(spark, folder / ANNOTATIONS))
        beats.coalesce(1).sortWithinPartitions("sample").write.parquet(str(folder / "beats"))
        (part,) = (folder / "beats").glob("*.parquet")
        files.makedirs(f"{root}/{BEATS}".rpartition("/")[0], exist_ok=True)
        files.pipe_file(f"{root}/{BEATS}", part.read_bytes())
        rows = spark.read.parquet(str(folder / "beats")).count()
    files.pipe_file(f"{root}/{MADE_OF}", content.encode())
    return f"{rows:,} beats cut.\n"


def read_signal(spark: SparkSession, file: Path) -> DataFrame:
    """Return the signal, a row for each second with its values in units of the converter."""
    fields = F.split("value", ",")
    values = F.split(fields.getItem(1), " ").cast("array<double>")
    return spark.read.text(str(file)).select(fields.getItem(0).cast("int").alias("second"), values.alias("units"))


def read_annotations(spark: SparkSession, file: Path) -> DataFrame:
    """Return the annotated beats: the number of a sample, and the symbol of a class."""
    return spark.read.csv(str(file), header=True, schema="sample INT, symbol STRING")


def cut_beats(signal: DataFrame, annotations: DataFrame) -> DataFrame:
    """Return the beats: `sample`, `symbol`, `rr`, `rr_ratio` and `samples`.

    `rr` is the time since the beat before in seconds, `rr_ratio` its ratio to the mean of the 8 intervals before, and
    `samples` are 187 values in mV without the beat's baseline, their median. The first two beats have no ratio, and
    are left out, as are beats whose window reaches beyond the record.
    """
    timed = _with_intervals(annotations)
    start = F.col("sample") - BEFORE
    windows = timed.withColumn("second", F.floor(start / RATE).cast("int")).withColumn("skipped", start % RATE)
    following = signal.select((F.col("second") - 1).alias("second"), F.col("units").alias("next_units"))
    joined = windows.join(signal, "second").join(following, "second", "left")
    units = F.concat("units", F.coalesce("next_units", F.array().cast("array<double>")))
    cut = joined.withColumn("cut", F.slice(units, F.col("skipped") + 1, F.lit(SAMPLES)))
    complete = cut.where((F.size("cut") == SAMPLES) & F.col("rr_ratio").isNotNull())
    # An argument is computed once for each beat; within the function of `transform` it would be for each value.
    baseline = F.array_repeat(F.element_at(F.sort_array("cut"), SAMPLES // 2 + 1), SAMPLES)
    millivolts = F.zip_with("cut", baseline, lambda unit, median: (unit - median) / UNITS_PER_MILLIVOLT)
    return complete.select("sample", "symbol", "rr", "rr_ratio", millivolts.alias("samples"))


def _with_intervals(annotations: DataFrame) -> DataFrame:
    """Add `rr` and `rr_ratio`; a record is one series, so its rows are in one partition."""
    in_time = Window.partitionBy(F.lit(0)).orderBy("sample")
    before = in_time.rowsBetween(-EARLIER, -1)
    interval = (F.col("sample") - F.lag("sample").over(in_time)) / RATE
    timed = annotations.withColumn("rr", interval)
    return timed.withColumn("rr_ratio", F.col("rr") / F.avg("rr").over(before))


if __name__ == "__main__":
    sys.exit(main())
