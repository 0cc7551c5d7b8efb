"""A Spark session that loads the classes of most jobs: `python -m stack.setup.spark.spark_session JAVA_OPTIONS`."""

import sys
import tempfile

from pyspark.sql import SparkSession


def main(options: str) -> int:
    """Run the queries that most jobs run, and wait for the end of Java, which then writes the archive."""
    builder = SparkSession.builder.master("local[1]").appName("classes")
    for name, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": options,
        "spark.ui.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        rows = session.range(1000).selectExpr("id", "id % 7 AS residue").groupBy("residue").count()
        rows.write.parquet(f"{folder}/rows")
        session.read.parquet(f"{folder}/rows").toPandas()
    process = session.sparkContext._gateway.proc  # type: ignore[union-attr]  # Java ends after Python otherwise
    process.stdin.close()
    return int(process.wait())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
