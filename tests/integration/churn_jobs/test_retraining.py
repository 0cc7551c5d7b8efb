"""Guarded retraining on a real server: after a lasting alert, within its limits, beyond noise, and with a way back."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from sklearn.ensemble import HistGradientBoostingClassifier
from sqlalchemy import insert as insert_rows
from sqlalchemy import update

from churn.columns import FEATURES
from churn.tables import processed
from churn_jobs.configuration import BoostingSize, RetrainingConfig, TrainerName, TrainingConfig
from churn_jobs.days import RequestedDays
from churn_jobs.prepared.preparing import prepare
from churn_jobs.retraining import retrain
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from churn_jobs.training import train
from driftline.artifacts.saving import save_trees
from driftline.clock import naive_utc
from driftline.errors import InvalidInput
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from driftline.store.tables import verdict_events
from driftline.store.versions import registry, roles
from driftline.store.versions.references import read_reference
from driftline.store.versions.retrainings import RetrainingState, retrainings_of
from driftline.store.versions.roles import Author, Roles
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.churn_jobs.conftest import NOW, migrated
from tests.integration.churn_jobs.raw_records import insert, world_records

FIRST, DAYS = date(2026, 1, 1), 62
TRAINING = TrainingConfig(
    trainers=(TrainerName.BOOSTING,),
    boosting_candidates=(BoostingSize(trees=20, leaves=8, learning_rate=0.1),),
)
CONFIG = RetrainingConfig(recent_days=50)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def job(
    mariadb_session: TemporaryDatabase, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Job]:
    """Prepared days without drift, and version 1, which was trained on the first 45 of them."""
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE retraining")
    settings = DatabaseSettings.model_validate(
        {"host": "127.0.0.1", "port": mariadb_session.port, "user": "root", "password": mariadb_session.password,
         "name": "retraining"}
    )  # fmt: skip
    engine = migrated(make_engine(settings))
    objects, scratch = open_store(tmp_path_factory.mktemp("objects")), tmp_path_factory.mktemp("unfinished") / "a-1"
    job = Job(engine, objects, scratch, NOW, lambda: nullcontext(Jdbc(spark, settings)))
    insert(engine, world_records(FIRST, DAYS, 120, FIRST + timedelta(days=DAYS - 1)))
    prepare(job, RequestedDays())
    assert train(job, RequestedDays(FIRST, FIRST + timedelta(days=51)), TRAINING).version == 1
    yield job
    engine.dispose()


def alerted(job: Job, version: int, *states: str) -> None:
    """Record verdict events of closed days; verdicts of the last two may change still."""
    number = registry.load(job.engine, "churn", version).model_number
    with job.engine.begin() as connection:
        for day, state in enumerate([*states, "warn", "warn"]):
            start = naive_utc(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day))
            row = {
                "model_number": number, "model_version": version, "chunk_start": start,
                "chunk_end": start + timedelta(days=1), "revision": 1, "sequence": 1, "state": state,
                "provisional": day >= len(states), "closed": True, "backfill": False, "reasons": "[]",
                "spec_revision": 1, "reference_hash": "", "code_version": "", "derived_at": start,
            }  # fmt: skip
            connection.execute(insert_rows(verdict_events).values(row))


def present_roles(job: Job) -> Roles:
    return roles.read_roles(job.engine, "churn")[0]


def states(job: Job) -> list[RetrainingState]:
    with job.engine.connect() as connection:
        return [retraining.state for retraining in retrainings_of(connection, "churn")]


def test_without_an_alert_that_lasts_nothing_is_trained(job: Job) -> None:
    assert retrain(job, None, TRAINING, CONFIG) is None
    alerted(job, 1, "ok", "alert", "alert")
    assert retrain(job, None, TRAINING, CONFIG) is None
    assert states(job) == []


def test_without_drift_the_champion_stays_and_the_limits_hold(job: Job) -> None:
    alerted(job, 1, "ok", "alert", "alert", "pending_labels", "alert")
    retrained = retrain(job, None, TRAINING, CONFIG)
    assert retrained is not None
    assert retrained.decision.comparison is not None, retrained.decision.reason
    assert (retrained.challenger, retrained.decision.promote) == (2, False)
    assert present_roles(job) == Roles(champion=1, challenger=None, used=1)
    with job.engine.connect() as connection:
        (recorded,) = retrainings_of(connection, "churn")
    assert (recorded.state, recorded.champion, recorded.challenger) == (RetrainingState.KEPT, 1, 2)
    assert recorded.cause == "version 1 has alerted in every chunk with a verdict since 2026-03-02"
    assert recorded.comparison is not None
    assert recorded.comparison.subjects > 100
    assert recorded.reason == retrained.decision.reason
    assert retrain(job, "again", TRAINING, CONFIG) is None, "the cool-down is not over"
    later = replace(job, now=NOW + WEEK)
    assert retrain(later, None, TRAINING, CONFIG) is None, "the alert has no news"
    assert states(job) == [RetrainingState.KEPT]


def test_a_better_challenger_is_promoted_and_a_rollback_returns(job: Job, tmp_path: Path) -> None:
    """A champion that ranks by chance stands for one that a concept drift has made worthless."""
    first = registry.load(job.engine, "churn", 1)
    reference = read_reference(first.reference_uri)
    label = np.random.default_rng(3).permutation(reference["label"].astype(int))
    chance = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(reference[list(FEATURES)], label)
    save_trees(chance, str(tmp_path / "chance"), reference[list(FEATURES)].head(200))
    worthless = registry.Candidate("churn", first.spec, "c" * 64, reference, str(tmp_path / "chance"), {})
    number = registry.register(job.engine, worthless, job.objects, NOW)
    roles.promote(job.engine, "churn", number, Author("anna", NOW, "to be challenged"))
    later = replace(job, now=NOW + WEEK)
    retrained = retrain(later, "tried by hand", TRAINING, CONFIG)
    assert retrained is not None
    assert retrained.decision.promote, retrained.decision.reason
    assert present_roles(job) == Roles(retrained.challenger, None, retrained.challenger)
    assert states(job)[-1] is RetrainingState.PROMOTED
    assert roles.rollback(job.engine, "churn", Author("anna", NOW, "worse for us")) == number


def test_days_without_labels_are_neither_trained_on_nor_compared(job: Job) -> None:
    with job.engine.begin() as connection:
        unknown = update(processed).where(processed.c["Date"] >= FIRST + timedelta(days=DAYS - 12))
        connection.execute(unknown.values({"M_Tenure_Churn": None}))
    before, later = present_roles(job), replace(job, now=datetime(2026, 9, 1, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="cannot be trained on"):
        retrain(later, "tried by hand", TRAINING, CONFIG)
    assert states(job)[-1] is RetrainingState.FAILED
    assert present_roles(job) == before
