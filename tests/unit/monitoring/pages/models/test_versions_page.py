"""A model's page of versions: where each was trained, and retrainings in words and numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.store.versions.retrainings import Retraining, RetrainingState
from monitoring.pages.models.versions_page import CHIPS, DECISIONS, _retraining_row, training_link

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
COMPARED = PairedRocAuc(0.314, 0.699, 0.0094, 0.0091, 0.0153, 13_327, 1_866, 1_000)


def retraining(state: RetrainingState, comparison: PairedRocAuc | None) -> Retraining:
    return Retraining(1, state, "an alert", None, 1, 2, "why", comparison, AT, AT)


def mlflow(address: str) -> dict[str, Any]:
    link = {"tracking_uri": address, "run_id": "af5c", "registered_model": "a/b", "registered_version": "3"}
    return {"metrics": {}, "mlflow": link}


def test_a_comparison_has_its_errors_and_what_was_compared() -> None:
    row = _retraining_row(retraining(RetrainingState.PROMOTED, COMPARED))
    assert (row.champion, row.challenger, row.difference) == ("0.314 ± 0.009", "0.699 ± 0.009", "+0.385 ± 0.0153")
    assert (row.rows, row.decision) == ("13,327 rows, 1,000 subjects", "challenger promoted")


def test_without_a_comparison_there_are_no_numbers() -> None:
    row = _retraining_row(retraining(RetrainingState.FAILED, None))
    assert {row.champion, row.challenger, row.difference, row.rows} == {"–"}
    assert row.decision == "failed"


def test_every_state_of_a_retraining_has_words_and_a_color() -> None:
    assert {*DECISIONS} == {*CHIPS} == {*RetrainingState}


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://mlflow.example:5050/", "https://mlflow.example:5050/#/models/a%2Fb/versions/3"),
        ("sqlite:////var/mlflow.db", None),
        ("javascript:alert(1)", None),
    ],
)
def test_atraining_links_to_a_server_and_never_to_a_file(address: str, link: str | None) -> None:
    training = training_link(mlflow(address))
    assert training is not None
    assert (training.words, training.address) == ("a/b version 3, run af5c", link)


@pytest.mark.parametrize("details", [{}, {"inferred": []}, None])
def test_a_version_that_is_not_recorded_has_no_link(details: Any) -> None:
    assert training_link(details) is None


def test_a_training_that_mlflow_missed_says_why() -> None:
    training = training_link({"mlflow_problem": "MLflow does not answer; check MLFLOW_TRACKING_URI."})
    assert training is not None
    assert training.words == "not recorded yet: MLflow does not answer; check MLFLOW_TRACKING_URI."
