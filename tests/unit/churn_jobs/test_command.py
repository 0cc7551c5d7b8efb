"""The composition root without Java: a failure is one message and exit status 2."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from churn_jobs.command import explain, requested_days, run, with_cure
from churn_jobs.days import RequestedDays
from churn_jobs.spark.job import Job
from churn_jobs.spark.session import connector_jars
from churn_jobs.spark.settings import JobSettings
from driftline.errors import InvalidInput, NotFound


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    (tmp_path / "mariadb-java-client-3.jar").touch()
    for name, value in (
        ("DB_USER", "jobs"),
        ("DB_PASSWORD", "s3cret"),
        ("DB_PORT", "1"),
        ("SPARK_JARS", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(work: object, capsys: pytest.CaptureFixture[str]) -> str:
    assert callable(work)
    with pytest.raises(SystemExit) as ended:
        run("prepare_data", work)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_an_expected_failure_is_one_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: Job) -> None:
        raise InvalidInput("The range does not fit.", details=("too early",))

    assert refused(work, capsys) == "Error: The range does not fit.\n  - too early\n"


def test_a_missing_user_is_named(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.delenv("DB_USER")
    assert "DB_USER: missing; add it" in refused(lambda job: job, capsys)


def test_missing_jars_are_reported_before_java_starts(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment.setenv("SPARK_JARS", str(tmp_path / "none"))
    assert "run `make setup`" in refused(lambda job: job, capsys)


def test_the_error_of_the_database_hides_the_password(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(lambda job: job.engine.connect(), capsys)
    assert "MySQL does not answer" in message
    assert "s3cret" not in message


def test_a_database_error_is_reported_without_the_statement() -> None:
    error = OperationalError("SELECT secret", {}, Exception(1045, "Access denied"))
    assert explain(error) == "The database refused: (1045, 'Access denied')"


def test_arguments_become_requested_days() -> None:
    assert requested_days(datetime(2026, 1, 2), None) == RequestedDays(datetime(2026, 1, 2).date(), None)  # noqa: DTZ001  # a day


def test_the_driver_is_the_one_jar_that_is_passed(tmp_path: Path) -> None:
    for name in ("mariadb-java-client-3.5.jar", "kafka-clients-3.jar"):
        (tmp_path / name).touch()
    assert connector_jars(JobSettings(jars=tmp_path)) == [str(tmp_path / "mariadb-java-client-3.5.jar")]
    with pytest.raises(NotFound, match="SPARK_JARS"):
        connector_jars(JobSettings(jars=tmp_path / "none"))


def test_an_unreachable_master_is_reported_with_its_variable() -> None:
    cause = "java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext."
    assert with_cure(cause).endswith("check that SPARK_MASTER is the address of a running master.")
    assert with_cure("java.io.IOException: No space left") == "java.io.IOException: No space left"


def test_empty_java_options_replace_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_JAVA_OPTIONS", "")
    assert JobSettings().java_options == ""
