"""The seams of the heartbeat example: its ETL in Spark, objects on S3, the registry of MLflow, and offsets in Kafka."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession

from examples.ecg.models import registry
from examples.ecg.models.classifiers import PARAMETERS, TRAINERS, Classifier
from examples.ecg.models.registry import TrainedModel, connected, load_champion
from examples.ecg.record.beats import read_beats, split
from examples.ecg.record.etl import BEATS, cut_beats, read_annotations, read_signal
from examples.ecg.record.features import BEFORE, RATE, SAMPLES
from examples.ecg.record.upload import ANNOTATIONS, DATA, SIGNAL, upload
from examples.ecg.steps import BEATS as STREAMED
from examples.ecg.steps import CHAMPION, REGISTERED, SCORED, XGBOOST
from examples.ecg.stream.days import BeatDay, BeatPlan, draw_days
from examples.ecg.stream.newest_beats import newest_beats
from examples.ecg.stream.scoring import BeatScoring, score_stream
from examples.ecg.stream.streaming import messages_in, stream
from examples.kafka_topics import create_topics
from tests.unit.examples.ecg_record import beats

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)
SECONDS = 60
PLAN = BeatPlan(reference=0, streamed=3, beats=20, gain_from=None)


@pytest.fixture(scope="module")
def model() -> Classifier:
    known, _ = split(beats())
    return TRAINERS[XGBOOST](known.features, known.symbols)


def test_spark_cuts_the_beats_that_numpy_cuts(example_spark: SparkSession, tmp_path: Path) -> None:
    with gzip.open(DATA / SIGNAL, "rt") as file, gzip.open(tmp_path / SIGNAL, "wt") as shortened:
        shortened.writelines(line for _, line in zip(range(SECONDS), file, strict=False))
    rows = (DATA / ANNOTATIONS).read_text().splitlines()
    complete = [row for row in rows[1:] if int(row.split(",")[0]) - BEFORE + SAMPLES <= SECONDS * RATE]
    (tmp_path / ANNOTATIONS).write_text("\n".join(rows[: len(complete) + 10]) + "\n")
    frame = cut_beats(
        read_signal(example_spark, tmp_path / SIGNAL), read_annotations(example_spark, tmp_path / ANNOTATIONS)
    )
    cut = sorted(frame.collect(), key=lambda row: int(row["sample"]))
    assert len(cut) == len(complete) - 2, "the first two have no ratio"
    expected = beats().take(np.arange(len(cut)))
    assert [row["symbol"] for row in cut] == expected.symbols.tolist()
    np.testing.assert_allclose([row["rr"] for row in cut], expected.intervals, rtol=1e-12)
    np.testing.assert_allclose([row["rr_ratio"] for row in cut], expected.ratios, rtol=1e-12)
    np.testing.assert_allclose([row["samples"] for row in cut], expected.samples, atol=1e-12)


def test_objects_are_stored_once_and_beats_are_read_from_them(s3_bucket: str, tmp_path: Path) -> None:
    assert [upload(s3_bucket), upload(s3_bucket)] == [2, 0]
    few = beats().take(np.arange(10))
    columns = {"symbol": few.symbols, "rr": few.intervals, "rr_ratio": few.ratios, "samples": [*few.samples]}
    pq.write_table(pa.table(columns), tmp_path / "beats.parquet")
    files, root = fsspec.url_to_fs(s3_bucket)
    files.put_file(str(tmp_path / "beats.parquet"), f"{root}/{BEATS}")
    stored = read_beats(s3_bucket)
    assert stored.symbols.tolist() == few.symbols.tolist()
    np.testing.assert_array_equal(stored.samples, few.samples)


def test_both_models_are_versions_that_aliases_name(tmp_path: Path, model: Classifier) -> None:
    with connected(f"sqlite:///{tmp_path / 'mlflow.db'}") as client:
        trained = TrainedModel(XGBOOST, model, PARAMETERS[XGBOOST], {"accuracy": 0.99}, "a" * 64)
        versions = [registry.record(client, trained, tmp_path / "mlflow") for _ in range(2)]
        assert versions == ["1", "1"], "the same training is recorded once"
        client.set_registered_model_alias(REGISTERED, CHAMPION, "1")
        named = client.get_model_version_by_alias(REGISTERED, XGBOOST)
        assert client.get_run(named.run_id).data.metrics == {"accuracy": 0.99}
        champion = load_champion(client, tmp_path / "files")
    features = beats().take(np.arange(50)).features
    np.testing.assert_array_equal(champion.probabilities(features), model.probabilities(features))


@dataclass
class BeatRecorder:
    """Keeps what a client of the monitor is given; `refused_batches` says that the monitor does not store it."""

    refused_batches: int = 0
    predictions: dict[str, dict[str, Any]] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)

    def log(self, features: dict[str, Any], prediction: str, score: dict[str, float], id: str, at: Any) -> None:
        row = {**features, **score, "prediction": prediction, "at": at}
        assert self.predictions.setdefault(id, row) == row, "the same beat is predicted differently"
        self.logged.append(id)

    def flush(self, timeout: float) -> bool:
        return timeout > 0

    def status(self) -> "BeatRecorder":
        return self


def test_a_beat_is_scored_again_only_if_the_monitor_did_not_store_it(kafka: str, model: Classifier) -> None:
    _, unseen = split(beats())
    days: list[BeatDay] = [*draw_days(unseen, PLAN, reference=False)]
    ids = [beat_id for day in days for beat_id in day.ids]
    recorder = BeatRecorder()
    scoring = BeatScoring(model, recorder, Producer({"bootstrap.servers": kafka}))  # type: ignore[arg-type]
    create_topics(kafka, STREAMED, SCORED)
    assert [stream(iter(days[:2]), kafka), stream(iter(days[:2]), kafka)] == [40, 0]
    recorder.refused_batches = 1
    with pytest.raises(RuntimeError, match="The monitor has not stored the batch of 2024-01-01-0000"):
        score_stream(scoring, kafka)
    recorder.refused_batches = 0
    assert [score_stream(scoring, kafka), score_stream(scoring, kafka)] == [40, 0]
    assert stream(iter(days), kafka) == 20
    assert score_stream(scoring, kafka) == 20
    assert recorder.logged == [*ids[:40], *ids]
    assert messages_in(SCORED, kafka) >= 60
    with ThreadPoolExecutor(2) as sessions:
        newest = [*sessions.map(newest_beats, [kafka, kafka])]
    assert [[beat["id"] for beat in shown] for shown in newest] == [ids[:39:-1]] * 2
    expected = np.concatenate([model.probabilities(day.beats.features) for day in days])
    scores = [[recorder.predictions[beat_id][name] for name in "ANV"] for beat_id in ids]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
