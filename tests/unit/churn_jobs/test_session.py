from pathlib import Path

from churn_jobs.spark.session import _options
from churn_jobs.spark.settings import JobSettings


def java_options(jars: Path) -> str:
    return _options(JobSettings(jars=jars), [])["spark.driver.extraJavaOptions"]


def test_the_driver_reads_the_archive_of_classes_beside_its_jars(tmp_path: Path) -> None:
    assert "SharedArchiveFile" not in java_options(tmp_path)
    archive = tmp_path / "spark-0123456789ab.jsa"
    archive.touch()
    assert f" -XX:SharedArchiveFile={archive} " in java_options(tmp_path)
