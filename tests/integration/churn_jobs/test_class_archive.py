import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from stack.servers import class_archive
from stack.setup.spark import spark_classes


def test_spark_takes_its_classes_from_the_archive() -> None:
    archive = spark_classes.archive()
    if not archive.exists():
        pytest.skip("There is no archive of Spark's classes; run `make classes`.")
    spark = find_spec("pyspark.sql")
    assert spark is not None
    assert spark.origin is not None
    submit = Path(spark.origin).parents[1] / "bin" / "spark-submit"
    options = " ".join((*spark_classes.OPTIONS, *class_archive.reading(archive), "-Xlog:class+load"))
    command = (str(submit), "--driver-java-options", options, "--version")
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" in output
