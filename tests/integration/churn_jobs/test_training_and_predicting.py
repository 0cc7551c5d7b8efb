"""Training and predicting on a real server: one version per data, one prediction per subscriber-day."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import delete, select, update

from churn.columns import FEATURES, Cdr, prediction_id
from churn.tables import cdr, churn_predictions, processed
from churn_jobs import training
from churn_jobs.configuration import BoostingSize, ForestSize, RetrainingConfig, TrainerName, TrainingConfig
from churn_jobs.days import DayRange, RequestedDays
from churn_jobs.predicted import predicting
from churn_jobs.predicted.predicting import predict
from churn_jobs.prepared.features import PREPARED
from churn_jobs.prepared.preparing import prepare
from churn_jobs.retraining import retrain
from churn_jobs.spark.job import Job
from churn_jobs.tracking import track
from churn_jobs.trainers import artifact
from churn_jobs.training import train
from churn_jobs.windows import split
from driftline.artifacts.loading import load_scorer
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ModelClock
from driftline.errors import InvalidInput, NotFound
from driftline.lineage import runs
from driftline.lineage.runs import RunState
from driftline.objects import open_store
from driftline.settings import LocalSettings
from driftline.store.ledger import open_batch
from driftline.store.rows.writing.prediction_writer import Written
from driftline.store.tables import ledger, model_versions, pending_batches
from driftline.store.versions import registry
from driftline.store.versions.references import read_reference
from driftline.tracking.mlflow_client import connect
from driftline.tracking.settings import TrackingSettings
from stack.servers import ports
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.churn_jobs.conftest import NOW
from tests.integration.churn_jobs.raw_records import content
from tests.integration.churn_jobs.trained import FIRST, HISTORY, Loop, batch_of, trained_loop
from tests.unit.driftline.lineage.recorders import kept_events

STREAM = DayRange(HISTORY.last + timedelta(days=1), HISTORY.last + timedelta(days=4))
CONFIG = TrainingConfig(candidates=(ForestSize(trees=3, depth=2), ForestSize(trees=8, depth=4)))
TRAINED_ON = RequestedDays(HISTORY.first, HISTORY.last)


@pytest.fixture(scope="module")
def loop(
    mariadb_session: TemporaryDatabase, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """A prepared history and stream, and a model trained on the history."""
    folder, days = tmp_path_factory.mktemp("loop"), len(STREAM)
    with trained_loop(
        mariadb_session, spark, folder, name="churn_loop", days=days, subscribers=120, config=CONFIG
    ) as loop:
        yield loop


def ids_of(rows: pd.DataFrame) -> list[str]:
    return [prediction_id(str(day), user) for day, user in zip(rows["Date"], rows["User"], strict=True)]


def predictions(loop: Loop) -> pd.DataFrame:
    return content(loop.job.engine, churn_predictions)


def monitored(loop: Loop) -> pd.DataFrame:
    """Return the predictions of the stream's days as the monitor reads them."""
    with loop.job.engine.connect() as connection:
        return loop.version.store.read(connection, loop.version.number, STREAM.start, STREAM.end)


def test_a_version_records_its_training(loop: Loop) -> None:
    version = loop.version
    windows = split(DayRange(FIRST + timedelta(days=6), HISTORY.last), CONFIG)
    assert version.details["windows"] == windows.as_text()
    assert version.details["configuration"] == CONFIG.model_dump(mode="json")
    assert version.details["chosen"] in version.details["configuration"]["candidates"]
    assert set(version.details["importances"]) == set(FEATURES)
    assert sum(version.details["importances"].values()) == pytest.approx(1)
    assert version.details["metrics"].keys() == {"train", "validation", "reference"}
    assert version.details["metrics"]["reference"]["roc_auc"] > 0.7
    assert 0 < version.details["threshold"] < 1
    assert version.artifact_uri is not None
    assert artifact.exists(open_store(version.artifact_uri))
    assert (version.spec.features, version.spec.clock) == (FEATURES, ModelClock.DATA)
    assert version.spec.label_delay == timedelta(days=3)


def test_a_training_is_recorded_in_mlflow_and_linked(loop: Loop) -> None:
    assert loop.job.open_tracking is not None
    client, version = loop.job.open_tracking(), loop.version
    link = version.details["mlflow"]
    run = client.get_run(link["run_id"])
    reference = version.details["metrics"]["reference"]
    assert run.data.metrics["reference.roc_auc"] == reference["roc_auc"]
    assert run.data.params["configuration.seed"] == str(CONFIG.seed)
    assert run.data.tags["data.hash"] == version.details["data_hash"]
    assert run.data.tags["driftline.version"] == str(version.number)
    champion = client.get_model_version_by_alias("churn", "champion")
    assert (str(champion.version), champion.run_id) == (link["registered_version"], link["run_id"])
    assert [file.path for file in client.list_artifacts(run.info.run_id, "plots")] == ["plots/evaluation.png"]
    copied = load_scorer(unquote(urlsplit(champion.source).path))
    row = dict.fromkeys(FEATURES, 3.0)
    assert copied.score([row]) == load_scorer(version.artifact_uri or "").score([row])


def test_preparing_and_training_are_runs_of_lineage(loop: Loop) -> None:
    prepared, trained = (event for event in loop.events if event.state is RunState.COMPLETE)
    assert [dataset.name.partition(".")[2] for dataset in prepared.inputs] == [cdr.name]
    assert {dataset.name.rpartition(".")[2] for dataset in prepared.outputs[:1]} == {processed.name}
    assert prepared.outputs[0].rows == len(content(loop.job.engine, processed))
    assert prepared.outputs[0].name == trained.inputs[0].name
    assert [(dataset.name, dataset.version) for dataset in trained.outputs] == [
        ("churn.model", str(loop.version.number)),
        ("churn.reference", loop.version.reference_hash),
    ]
    assert trained.facts["mlflow_run"] == loop.version.details["mlflow"]["run_id"]
    assert trained.facts["training_hash"] == loop.version.training_hash


def test_a_training_that_mlflow_missed_is_recorded_later_without_hands(
    loop: Loop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MLflow's port is closed at the training; the next retraining, which has nothing else to do, records it."""
    version, job = loop.version, loop.job
    link = version.details["mlflow"]
    registry.add_details(job.engine, version.key, {"mlflow": None})
    closed = TrackingSettings(tracking_uri=f"http://127.0.0.1:{ports.any_free()}")
    away = replace(job, open_tracking=lambda: connect(closed, LocalSettings(var=tmp_path)))
    track(away, registry.load(job.engine, "churn"))
    details = registry.load(job.engine, "churn").details
    assert "check MLFLOW_TRACKING_URI" in details["mlflow_problem"]
    assert "The training was not recorded: MLflow does not answer" in capsys.readouterr().err
    assert retrain(away, None, CONFIG, RetrainingConfig()) is None
    assert registry.load(job.engine, "churn").details == details
    assert retrain(job, None, CONFIG, RetrainingConfig()) is None
    assert registry.load(job.engine, "churn").details == {**version.details, "mlflow": link}


def test_a_stored_models_stages_have_fixed_names(loop: Loop) -> None:
    assert loop.version.artifact_uri is not None
    folder = open_store(loop.version.artifact_uri).folder
    assert folder is not None
    pipeline = folder / artifact.PIPELINE
    assert sorted(path.name for path in (pipeline / "stages").iterdir()) == [
        "0_log1p", "1_imputer", "2_assembler", "3_forest",
    ]  # fmt: skip
    metadata = [json.loads(path.read_text()) for path in sorted(pipeline.rglob("metadata/part-*"))]
    assert sorted(stage["uid"] for stage in metadata) == ["assembler", "churn", "forest", "imputer", "log1p"]
    assert re.findall(r"_[0-9a-f]{12}\b", json.dumps(metadata)) == []


def test_the_model_scores_the_same_without_spark(loop: Loop) -> None:
    assert loop.version.artifact_uri is not None
    scorer = load_scorer(loop.version.artifact_uri)
    frame = read_reference(loop.version.reference_uri)
    scored = scorer.score([{str(name): row[name] for name in FEATURES} for row in frame.to_dict("records")])
    scores = np.array([each.score for each in scored], np.float64)
    np.testing.assert_allclose(scores, frame[SCORE], rtol=0, atol=1e-9)
    assert [each.prediction for each in scored] == [*frame[PREDICTION]]


def test_trainers_are_compared_and_boosted_trees_are_served(loop: Loop, tmp_path: Path) -> None:
    size = BoostingSize(trees=20, leaves=8, learning_rate=0.1)
    trainers = (TrainerName.BOOSTING, TrainerName.SPARK_FOREST)
    config = CONFIG.with_trainers(trainers).model_copy(update={"boosting_candidates": (size,)})
    windows = split(DayRange(FIRST + timedelta(days=6), HISTORY.last), config)
    with loop.job.open_spark() as jdbc:
        model = training.fit(jdbc.read(processed, PREPARED, windows.all, processed.c["Date"]), windows, config)
        boosted, forest = model.details["trainers"]
        assert model.details["trainer"] == "boosting", (
            "the first is kept, since a forest is not better beyond the error"
        )
        assert (boosted["chosen"], forest["chosen"]) == (size.model_dump(), loop.version.details["chosen"])
        for window in ("validation", "reference"):
            assert boosted[window]["roc_auc"] > 0.6
            assert 0 < boosted[window]["error"] < 0.1
            assert forest[window]["difference"] == forest[window]["roc_auc"] - boosted[window]["roc_auc"]
            assert 0 < forest[window]["difference_error"] < boosted[window]["error"] + forest[window]["error"]
        assert sum(model.details["importances"].values()) == pytest.approx(1)
        target = open_store(tmp_path / "objects")
        artifact.save(model, target, tmp_path)
        loaded = artifact.load(target, tmp_path)
        assert (loaded.threshold, loaded.calibration) == (model.threshold, model.calibration)
        days = DayRange(HISTORY.first, HISTORY.first + timedelta(days=1))
        rows = jdbc.read(processed, PREPARED, days, processed.c["Date"])
        assert rows.schema == loaded.score(rows).drop(SCORE, "probability_0", PREDICTION).schema
        unknown = F.when(F.pmod(F.crc32("User"), F.lit(3)) > 0, F.col(FEATURES[7]))
        scored = loaded.score(rows.withColumn(FEATURES[7], unknown)).toPandas()
    assert scored[FEATURES[7]].isna().any(), "missing values are scored too"
    records = scored[list(FEATURES)].astype(float).to_dict("records")
    served = load_scorer(target.address).score(
        [{str(name): None if np.isnan(value) else value for name, value in record.items()} for record in records]
    )
    scores = np.array([each.score for each in served], np.float64)
    np.testing.assert_allclose(scores, scored[SCORE], rtol=0, atol=1e-6)
    assert [each.prediction for each in served] == [*scored[PREDICTION]]


@pytest.mark.parametrize("bucket", ["gcs_bucket", "s3_bucket"])
def test_a_model_in_a_bucket_scores_the_same(
    loop: Loop, bucket: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert loop.version.artifact_uri is not None
    saved = artifact.load(open_store(loop.version.artifact_uri), tmp_path)
    target = artifact.place(open_store(request.getfixturevalue(bucket)), loop.version.reference_hash)
    target.put("pipeline/stages/left_by_a_killed_run", b"half")
    assert not artifact.exists(target)
    artifact.save(saved, target, tmp_path)
    assert list(tmp_path.iterdir()) == []
    loaded = artifact.load(target, tmp_path)
    assert (loaded.calibration, loaded.threshold, loaded.details) == (
        saved.calibration,
        saved.threshold,
        saved.details,
    )
    with loop.job.open_spark() as jdbc:
        rows = jdbc.read(processed, PREPARED, DayRange(HISTORY.last, HISTORY.last), processed.c["Date"])
        first, second = (
            model.score(rows).toPandas().sort_values("User", ignore_index=True) for model in (saved, loaded)
        )
    assert len(first) > 50
    pd.testing.assert_frame_equal(first, second)


def test_a_model_of_simulated_records_is_marked(loop: Loop) -> None:
    assert loop.version.details["simulated"] is True
    days, eve = DayRange(HISTORY.first + timedelta(days=500), HISTORY.last + timedelta(days=500)), timedelta(days=1)
    week_before = DayRange(days.first - 7 * eve, days.first - 7 * eve)
    with loop.job.engine.connect() as connection:
        for batch_id, of in (("file/abc/1", days), ("stream/abc/1", week_before), ("predict/abc/1", days)):
            open_batch(connection, batch_of(batch_id, of))
        assert not training.holds_simulated(connection, days)
        looked_back_to = DayRange(days.first - 6 * eve, days.first - 6 * eve)
        open_batch(connection, batch_of("stream/abc/2", looked_back_to))
        assert training.holds_simulated(connection, days)
        connection.rollback()


def test_the_reference_is_the_scored_and_labelled_window(loop: Loop) -> None:
    frame = read_reference(loop.version.reference_uri)
    days = DayRange(*(date.fromisoformat(day) for day in loop.version.details["windows"]["reference"].values()))
    stamps = frame[EVENT_TIME].drop_duplicates()
    assert [*stamps] == [pd.Timestamp(day, tz="UTC") for day in days]
    assert len(days) == 14
    assert frame[LABEL].notna().all()
    users = content(loop.job.engine, processed)
    inside = users[users["Date"].between(days.first, days.last)]
    assert [*frame[ID]] == ids_of(inside)
    np.testing.assert_allclose(frame["probability_0"] + frame[SCORE], 1.0)
    assert frame[SCORE].mean() == pytest.approx(frame[LABEL].mean(), abs=0.04), "scores are calibrated"
    assert (frame[PREDICTION] == (frame[SCORE] >= loop.version.details["threshold"])).all()


def test_the_same_training_again_returns_the_same_version(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "fit", None)
    later = replace(loop.job, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert train(later, TRAINED_ON, CONFIG) == training.Trained(loop.version.number, new=False)


def test_a_fit_is_the_same_every_time(loop: Loop) -> None:
    windows = split(DayRange(FIRST + timedelta(days=6), HISTORY.last), CONFIG)
    with loop.job.open_spark() as jdbc:
        rows = jdbc.read(processed, PREPARED, windows.all, processed.c["Date"])
        again = training.fit(rows, windows, CONFIG)
    assert again.threshold == loop.version.details["threshold"]
    assert again.details["importances"] == loop.version.details["importances"]
    assert again.details["metrics"] == loop.version.details["metrics"]


def test_a_saved_but_unregistered_model_is_registered(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    other_config = CONFIG.model_copy(update={"candidates": (ForestSize(trees=2, depth=2),)})

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(registry, "register", fail)
        train(loop.job, TRAINED_ON, other_config)
    assert registry.load(loop.job.engine, "churn").number == loop.version.number
    with monkeypatch.context() as patched:
        patched.setattr(training, "fit", None)
        second = train(loop.job, TRAINED_ON, other_config)
    assert second == training.Trained(loop.version.number + 1, new=True)
    forget(loop, second.version)


def forget(loop: Loop, version: int) -> None:
    """Leave the module's own version the newest."""
    with loop.job.engine.begin() as connection:
        connection.execute(delete(model_versions).where(model_versions.c.version == version))


@pytest.mark.kills
def test_a_run_after_a_killed_one_adds_missing_predictions_once(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    days = RequestedDays(STREAM.first, STREAM.last)
    move = predicting._store_batch
    moved: list[Written] = []

    def fail_after_three(*arguments: object) -> Written:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(move(*arguments))  # type: ignore[arg-type]  # passed through
        return moved[-1]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(predicting, "_store_batch", fail_after_three)
        predict(loop.job, days)
    assert predictions(loop)["Date"].nunique() == 2

    with kept_events() as events, runs.run("write_predictions"):
        again = predict(replace(loop.job, now=NOW + timedelta(hours=1)), days)
    ended = events[-1]
    assert [dataset.name.rpartition(".")[2] for dataset in ended.inputs] == [processed.name, "model"]
    assert {(dataset.name.rpartition(".")[2], dataset.rows) for dataset in ended.outputs} == {
        ("predictions", again.new), (churn_predictions.name, again.new)
    }  # fmt: skip
    assert ended.facts["model_version"] == loop.version.number
    assert len(str(ended.facts["batches"]).split(",")) == len(STREAM) - 2
    predicted, expected = predictions(loop), content(loop.job.engine, processed)
    expected = expected[expected["Date"] >= STREAM.first]
    assert again.new == (predicted["scored_at"] == pd.Timestamp(NOW + timedelta(hours=1)).tz_localize(None)).sum() > 0
    assert again.changed == 0
    assert [*predicted[ID]] == ids_of(expected)
    assert [*predicted["Date"]] == [*expected["Date"]]
    stored = monitored(loop)
    assert [*stored[ID]] == [*predicted[ID]]
    assert [*stored[EVENT_TIME]] == [pd.Timestamp(day, tz="UTC") for day in expected["Date"]]
    for name in (SCORE, PREDICTION, *FEATURES):
        np.testing.assert_array_equal(stored[name].astype(float), predicted[name].astype(float), err_msg=name)
    np.testing.assert_array_equal(predicted[list(FEATURES)].astype(float), expected[list(FEATURES)].astype(float))
    assert (predicted["model_version"] == loop.version.number).all()

    assert predict(loop.job, days).new == 0
    pd.testing.assert_frame_equal(predictions(loop), predicted)
    batches = content(loop.job.engine, ledger).query("kind == 'predictions'")
    assert len(batches) == len(STREAM)
    assert {*batches["number"]} <= {*content(loop.job.engine, pending_batches)["batch_number"]}


def test_a_prediction_equals_the_score_in_the_reference(loop: Loop) -> None:
    reference = read_reference(loop.version.reference_uri).set_index(ID)
    last = reference[EVENT_TIME].max().date()
    predict(loop.job, RequestedDays(last, last))
    predicted = predictions(loop).set_index(ID)
    predicted = predicted[predicted["Date"] == last]
    same = reference.loc[predicted.index]
    assert len(predicted) > 50
    for name in (SCORE, "probability_0", PREDICTION, *FEATURES):
        np.testing.assert_array_equal(predicted[name].astype(float), same[name].astype(float), err_msg=name)


def test_changed_features_are_counted_and_predictions_stay(loop: Loop) -> None:
    day = RequestedDays(STREAM.last, STREAM.last)
    predict(loop.job, day)
    predictions_before = predictions(loop)
    stamp = cdr.c[Cdr.DATE]
    with loop.job.engine.begin() as connection:
        newest = connection.execute(select(cdr.c[Cdr.RECORD_ID]).where(stamp >= STREAM.last).limit(3)).scalars().all()
        more = {Cdr.MOC_COUNT: cdr.c[Cdr.MOC_COUNT] + 1}
        connection.execute(update(cdr).where(cdr.c[Cdr.RECORD_ID].in_(newest)).values(more))
    prepare(loop.job, day)
    predicted = predict(loop.job, day)
    assert (predicted.new, predicted.changed) == (0, 3)
    pd.testing.assert_frame_equal(predictions(loop), predictions_before)


def test_too_few_days_or_classes_are_refused(loop: Loop) -> None:
    with pytest.raises(InvalidInput, match="44 are needed"):
        train(loop.job, RequestedDays(FIRST, FIRST + timedelta(days=20)), CONFIG)
    demanding = CONFIG.model_copy(update={"minimum_class_rows": 10_000})
    with pytest.raises(InvalidInput) as refused:
        train(loop.job, TRAINED_ON, demanding)
    assert len(refused.value.details) == 3
    with pytest.raises(InvalidInput, match=f"{FIRST} to {STREAM.last}"):
        predict(loop.job, RequestedDays(FIRST, STREAM.last + timedelta(days=1)))


def test_a_missing_version_or_missing_days_are_reported(job: Job) -> None:
    with pytest.raises(NotFound, match="Train one first"):
        predict(job, RequestedDays())
    with pytest.raises(NotFound, match=r"prepare_data\.py"):
        train(job, RequestedDays(), CONFIG)
