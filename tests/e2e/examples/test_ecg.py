"""A short run of the heartbeat example on servers of its own: from a record in S3 to verdicts on the dashboard."""

import re
from collections.abc import Iterator

import pytest

from examples.ecg.models.registry import connected
from examples.ecg.steps import CHAMPION, REGISTERED
from examples.ecg.stream.days import SHORT
from tests.examples.runs import Example, ran, verdicts

BEATS = SHORT.streamed * SHORT.beats


@pytest.fixture(scope="module")
def ecg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after a run without Prefect and Streamlit, which need environments of their own."""
    yield from ran("ecg", tmp_path_factory.mktemp("ecg"), "--short")


def test_every_beat_is_scored_and_labelled_once(ecg: Example) -> None:
    assert f"{BEATS:,} beats sent.\n{BEATS:,} beats scored.\n" in ecg.output
    chunks = ecg.isolated.call("monitor", "GET", "/api/v1/models/ecg/chunks?from=2024-01-21").json()["chunks"]
    assert [(chunk["rows"], chunk["labelled"]) for chunk in chunks] == [(SHORT.beats, SHORT.beats)] * SHORT.streamed


def test_another_gain_of_the_sensor_is_an_alert_on_its_second_day(ecg: Example) -> None:
    """The label of the newest day is unknown until the next."""
    assert SHORT.drift_day == SHORT.days[-4]
    assert [verdict for _, verdict in verdicts(ecg.output)] == ["ok", "ok", "alert", "alert", "pending_labels"]
    assert re.search(rf"^First alert: {SHORT.days[-3]}: peak drifted: Jensen-Shannon ", ecg.output, re.MULTILINE)
    assert "Alert delivered: ecg" in ecg.output


def test_the_monitored_version_is_the_champion_of_the_comparison(ecg: Example) -> None:
    assert re.search(r"^xgboost: accuracy 0\.99\d\d ± ", ecg.output, re.MULTILINE)
    assert re.search(r"Champion: xgboost\.$", ecg.output, re.MULTILINE)
    with connected(f"sqlite:///{ecg.var / 'ecg' / 'mlflow.db'}") as client:
        champion = client.get_model_version_by_alias(REGISTERED, CHAMPION)
    page = ecg.isolated.call("monitor", "GET", "/models/ecg/versions").text
    assert f"{REGISTERED} version {champion.version}, run {champion.run_id}" in page
