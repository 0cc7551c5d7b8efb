from pathlib import Path

from churn_jobs.spark.session import _options
from churn_jobs.spark.settings import JobSettings


def java_options(jars: Path) -> str:
    return _options(JobSettings(jars=jars), [])["spark.driver.extraJavaOptions"]


def test_the_driver_has_the_options_of_java_beside_its_jars(tmp_path: Path) -> None:
    assert "SharedArchiveFile" not in java_options(tmp_path)
    (tmp_path / "java.options").write_text("-XX:SharedArchiveFile=spark.jsa -Xlog:cds=off")
    assert java_options(tmp_path).endswith(" -XX:SharedArchiveFile=spark.jsa -Xlog:cds=off")
