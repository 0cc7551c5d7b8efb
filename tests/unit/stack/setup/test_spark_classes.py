"""The options of Java that read the archive of Spark's classes: written once, and read by jobs and examples."""

from pathlib import Path

import pytest

from churn_jobs.spark import session
from examples import spark_sessions
from stack import paths
from stack.setup.spark import spark_classes


def test_jobs_and_examples_read_the_options_stored_with_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, former = tmp_path / "spark-1.jsa", tmp_path / "spark-0.jsa"
    monkeypatch.setattr(paths, "SPARK_JARS", tmp_path)
    monkeypatch.setattr(spark_sessions, "JARS", tmp_path)
    monkeypatch.setattr(spark_classes, "archive", lambda: archive)
    assert session._class_archive(tmp_path) == spark_sessions._class_archive() == ""
    archive.touch()
    former.touch()
    assert not spark_classes.is_made(), "an earlier version wrote no options"
    spark_classes.make()
    assert spark_classes.is_made()
    assert not former.exists()
    assert session._class_archive(tmp_path) == spark_sessions._class_archive()
    assert session._class_archive(tmp_path).startswith(f"-XX:SharedArchiveFile={archive} ")
