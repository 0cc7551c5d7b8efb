"""The parts of the heartbeat example: the network and its snapshots, the comparison, simulated days and verdicts."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from confluent_kafka import TopicPartition
from sklearn.metrics import balanced_accuracy_score, f1_score

import driftline as dl
from examples.ecg.__main__ import dashboard_settings
from examples.ecg.models import comparison, registry, snapshot_ensemble
from examples.ecg.models.classifiers import TRAINERS, load, predicted
from examples.ecg.models.comparison import out_of_fold, paired_test, recalls
from examples.ecg.models.snapshot_ensemble import Network, learning_rate
from examples.ecg.record.beats import Beats, split
from examples.ecg.record.features import FEATURES, FloatArray, features_of
from examples.ecg.record.upload import upload
from examples.ecg.steps import AT, CLASSES, ID, PREDICTION, SCORES, SNAPSHOTS, SPEC, SYMBOL, XGBOOST
from examples.ecg.stream import newest_beats
from examples.ecg.stream.days import BeatPlan, draw_days, scored
from examples.ecg.training import train
from examples.object_store import start_object_store
from examples.servers import Servers
from tests.unit.examples.ecg_record import beats

CALM = BeatPlan(gain_from=None)


def test_the_record_has_one_beat_of_class_v_and_no_model_sees_it() -> None:
    known, unseen = split(beats())
    assert beats().symbols.value_counts().to_dict() == {"N": 2236, "A": 33, "V": 1}
    assert known.symbols.value_counts().to_dict() == {"N": 1347, "A": 15}
    assert len(known) + len(unseen) == len(beats())


def test_features_are_means_of_parts_extremes_and_intervals() -> None:
    samples = np.arange(187.0)[np.newaxis]
    row = features_of(samples, np.array([0.8]), np.array([1.1])).iloc[0]
    assert (row["wave_00"], row["wave_16"]) == (5.0, 181.0)
    assert (row["peak"], row["trough"], row["rr"], row["rr_ratio"]) == (186.0, 0.0, 0.8, 1.1)


def test_the_learning_rate_falls_to_almost_nothing_in_each_cycle() -> None:
    rates = [learning_rate(step, 100) for step in range(100)]
    assert rates[0] == snapshot_ensemble.RATE
    assert rates[50] == pytest.approx(snapshot_ensemble.RATE / 2)
    assert rates[-1] < snapshot_ensemble.RATE / 1000
    assert all(later < earlier for earlier, later in pairwise(rates))


def test_gradients_are_the_slopes_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    network = Network(rng.normal(size=(4, 2)), rng.normal(size=(3, 3)))
    inputs, targets = rng.normal(size=(5, 3)), np.eye(3)[[0, 1, 2, 0, 1]]

    def loss(hidden: FloatArray, output: FloatArray) -> float:
        entropy = -np.log(Network(hidden, output).probabilities(inputs))[targets == 1].mean()
        return float(entropy + snapshot_ensemble.DECAY / 2 * ((hidden**2).sum() + (output**2).sum()))

    hidden, output = network.gradients(inputs, targets)
    step = np.zeros_like(network.hidden)
    step[1, 0] = 1e-6
    slope = (loss(network.hidden + step, network.output) - loss(network.hidden - step, network.output)) / 2e-6
    assert hidden[1, 0] == pytest.approx(slope, rel=1e-5)
    step = np.zeros_like(network.output)
    step[2, 1] = 1e-6
    slope = (loss(network.hidden, network.output + step) - loss(network.hidden, network.output - step)) / 2e-6
    assert output[2, 1] == pytest.approx(slope, rel=1e-5)


def test_snapshots_are_one_network_at_the_ends_of_its_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    known = split(beats())[0].take(np.arange(200))
    monkeypatch.setattr(snapshot_ensemble, "EPOCHS", 2)
    ensembles = {}
    for cycles in (1, 3):
        monkeypatch.setattr(snapshot_ensemble, "CYCLES", cycles)
        ensembles[cycles] = snapshot_ensemble.train(known.features, known.symbols, seed=1)
    first, second, third = ensembles[3].snapshots
    np.testing.assert_array_equal(ensembles[1].snapshots[0].hidden, first.hidden)
    assert np.abs(second.hidden - first.hidden).max() > 0.01
    assert np.abs(third.hidden - second.hidden).max() > 0.01
    by_snapshot = ensembles[3].by_snapshot(known.features)
    np.testing.assert_allclose(ensembles[3].probabilities(known.features), sum(by_snapshot) / 3)


@pytest.mark.parametrize("name", [XGBOOST, SNAPSHOTS])
def test_a_saved_model_predicts_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_ensemble, "EPOCHS", 1)
    known = split(beats())[0].take(np.arange(200))
    model = TRAINERS[name](known.features, known.symbols)
    model.save(tmp_path)
    probabilities = load(tmp_path).probabilities(known.features)
    np.testing.assert_array_equal(probabilities, model.probabilities(known.features))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_what_models_are_made_of_includes_intervals_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = beats().take(np.arange(20))
    made_of = train.content_hash(known)
    assert train.content_hash(known) == made_of
    symbols = known.symbols.where(known.symbols.index != 0, "V")
    for changed in (
        replace(known, samples=known.samples * 2),
        replace(known, intervals=known.intervals + 0.1),
        replace(known, ratios=known.ratios + 0.1),
        replace(known, symbols=symbols),
    ):
        assert train.content_hash(changed) != made_of
    for number, source in enumerate(train.SOURCES):
        other = tmp_path / source.name
        other.write_bytes(source.read_bytes() + b"#")
        sources = [*train.SOURCES]
        sources[number] = other
        with monkeypatch.context() as patched:
            patched.setattr(train, "SOURCES", sources)
            assert train.content_hash(known) != made_of
    assert {"features.py", "classifiers.py", "snapshot_ensemble.py"} <= {source.name for source in train.SOURCES}


class ScoredTopic:
    """A consumer of a topic with 50 messages: a position that another thread changes is read from there."""

    every: ClassVar[list["ScoredTopic"]] = []
    barrier = Barrier(2, timeout=20)

    def __init__(self, _: object) -> None:
        self.position, self.open = 0, True
        self.every.append(self)

    def get_watermark_offsets(self, *_: object) -> tuple[int, int]:
        return 0, 50

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.position = partitions[0].offset
        self.barrier.wait()

    def consume(self, most: int, _: float) -> list["ScoredMessage"]:
        read = []
        for _number in range(most):
            read.append(ScoredMessage(self.position))
            self.position += 1
        self.barrier.wait()
        return read

    def close(self) -> None:
        self.open = False


@dataclass
class ScoredMessage:
    """A message of the topic."""

    number: int

    def value(self) -> bytes:
        return json.dumps({"id": self.number}).encode()

    def error(self) -> None:
        """Return no error."""


def test_two_sessions_of_the_dashboard_read_the_same_newest_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest_beats, "Consumer", ScoredTopic)
    with ThreadPoolExecutor(2) as threads:
        results = [*threads.map(newest_beats.newest_beats, ["127.0.0.1:1"] * 2)]
    assert [[beat["id"] for beat in result] for result in results] == [[*range(49, 29, -1)]] * 2
    assert [consumer.open for consumer in ScoredTopic.every] == [False, False]


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("http://mlflow:5000", None),
        ("https://mlflow.example.org", None),
        ("sqlite:////folder/mlflow.db", "file:///folder/mlflow"),
        ("/folder/mlruns", "file:///folder/mlflow"),
    ],
)
def test_a_server_of_mlflow_decides_where_artifacts_are(address: str, location: str | None) -> None:
    class Client:
        tracking_uri = address
        created: ClassVar[list[tuple[str, str | None]]] = []

        def get_experiment_by_name(self, _: str) -> None:
            """Return no experiment."""

        def create_experiment(self, name: str, artifact_location: str | None) -> str:
            self.created.append((name, artifact_location))
            return "1"

        def search_runs(self, *_: object, **__: object) -> list[SimpleNamespace]:
            return [SimpleNamespace(info=SimpleNamespace(run_id="run"))]

        def search_registered_models(self, _: str) -> list[str]:
            return ["ecg_beats"]

        def search_model_versions(self, _: str) -> list[SimpleNamespace]:
            return [SimpleNamespace(version="1")]

        def set_registered_model_alias(self, *_: str) -> None:
            """Do nothing."""

    trained: Any = SimpleNamespace(name=XGBOOST, made_of="a" * 64)
    client: Any = Client()
    assert registry.record(client, trained, Path("/folder/mlflow")) == "1"
    assert Client.created == [("ecg_beats", location)]


def test_metrics_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    symbols = rng.choice(["A", "N"], 500, p=[0.2, 0.8])
    predictions = np.where(rng.uniform(size=500) < 0.9, symbols, "A")
    measured = comparison.measures(symbols, predictions)
    assert measured["weighted_f1"].value == pytest.approx(f1_score(symbols, predictions, average="weighted"))
    assert measured["youden_j"].value == pytest.approx(2 * balanced_accuracy_score(symbols, predictions) - 1)
    accuracy = measured["accuracy"]
    assert accuracy.value == (symbols == predictions).mean()
    assert accuracy.error == pytest.approx(np.sqrt(accuracy.value * (1 - accuracy.value) / 500), rel=0.2)


def test_one_example_says_almost_nothing() -> None:
    symbols, predictions = np.array(["V", *("A" for _ in range(10))]), np.array(["N", *("A" for _ in range(10))])
    recall = recalls(symbols, predictions)
    assert (recall["V"].recognized, recall["V"].beats, recall["V"].lower) == (0, 1, 0.0)
    assert recall["V"].upper == pytest.approx(0.975)
    assert recall["A"].lower == pytest.approx(0.692, abs=1e-3)
    assert "N" not in recall


def test_the_paired_test_counts_beats_that_only_one_model_recognizes() -> None:
    symbols = np.array(["A"] * 8)
    first = np.array(["N"] * 6 + ["A"] * 2)
    test = paired_test(symbols, first, symbols)
    assert (test.first_only, test.second_only) == (0, 6)
    assert test.p_value == pytest.approx(2 / 64)
    assert paired_test(symbols, symbols, symbols).p_value == 1


def test_no_model_of_a_fold_is_trained_near_what_it_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    known = split(beats())[0].take(np.arange(300))
    numbered = replace(known, intervals=np.arange(300.0))
    folds: list[tuple[set[float], set[float]]] = []

    class RecordingModel:
        def __init__(self, features: pd.DataFrame, _: object) -> None:
            self.trained = {*features["rr"]}

        def probabilities(self, features: pd.DataFrame) -> FloatArray:
            folds.append((self.trained, {*features["rr"]}))
            return np.full((len(features), len(CLASSES)), 1 / 3)

    monkeypatch.setattr(comparison, "TRAINERS", {XGBOOST: RecordingModel})
    out_of_fold(numbered)
    assert sorted(number for _, tested in folds for number in tested) == [float(number) for number in range(300)]
    for trained, tested in folds:
        assert max(tested) - min(tested) == len(tested) - 1, "a block of time"
        assert not {number for number in trained if min(tested) - 8 <= number <= max(tested) + 8}


def test_days_are_drawn_by_seed_and_the_gain_changes_voltages_alone() -> None:
    _, unseen = split(beats())
    plan = BeatPlan(reference=1, streamed=3, beats=5, gain=0.5, gain_from=1)
    calm = [*draw_days(unseen, replace(plan, gain_from=None), reference=False)]
    days = [*draw_days(unseen, plan, reference=False)]
    assert [day.ids[0] for day in days] == ["2024-01-02-0000", "2024-01-03-0000", "2024-01-04-0000"]
    assert plan.drift_day == plan.days[2]
    np.testing.assert_array_equal(days[0].beats.samples, calm[0].beats.samples)
    np.testing.assert_allclose(days[1].beats.samples, calm[1].beats.samples * 0.5, atol=1e-4)
    assert days[1].beats.symbols.equals(calm[1].beats.symbols)
    assert not np.array_equal(days[0].beats.samples, days[2].beats.samples)


def test_without_go_objects_are_kept_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class WithoutGo(Servers):
        def run(self, *command: str) -> str:
            raise SystemExit(f"python {' '.join(command)} ended with 2:\nversitygw is not built and Go is missing.")

    monkeypatch.delenv("EXAMPLES_OBJECTS", raising=False)
    objects = start_object_store(WithoutGo("", "", tmp_path, {}), tmp_path / "ecg", tmp_path / "processes")
    assert objects.address == str(tmp_path / "ecg" / "objects")
    assert capsys.readouterr().out.splitlines()[0] == "versitygw is not built and Go is missing."
    assert [upload(objects.address), upload(objects.address)] == [2, 0]


def backtest(plan: BeatPlan, known: Beats, unseen: Beats) -> dl.BacktestResult:
    """Monitor simulated days as the example does."""
    model = TRAINERS[XGBOOST](known.features, known.symbols)
    frames = [scored(model, draw_days(unseen, plan, reference=reference)) for reference in (True, False)]
    return dl.backtest(
        pd.concat(frames, ignore_index=True), timestamp=AT, id=ID, label=SYMBOL, prediction=PREDICTION,
        score=dict(zip(CLASSES, SCORES, strict=True)), reference_until=f"{plan.days[plan.reference]}",
        problem="multiclass", spec=SPEC,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_an_unchanged_sensor_never_alerts(seed: int) -> None:
    states = {chunk.verdict.state for chunk in backtest(replace(CALM, seed=seed), *split(beats())).chunks}
    assert dl.State.ALERT not in states
    assert dl.State.OK in states


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_another_gain_alerts_by_its_second_day_with_right_classes(seed: int) -> None:
    plan = BeatPlan(seed=seed)
    chunks = backtest(plan, *split(beats())).chunks
    first = next(chunk for chunk in chunks if chunk.verdict.state is dl.State.ALERT)
    assert plan.drift_day
    assert (first.start.date() - plan.drift_day).days == 1
    assert "peak" in first.verdict.drifted
    assert {"rr", "rr_ratio"}.isdisjoint(first.verdict.drifted)
    known, unseen = split(beats())
    model = TRAINERS[XGBOOST](known.features, known.symbols)
    sensed = features_of(unseen.samples * plan.gain, unseen.intervals, unseen.ratios)[list(FEATURES)]
    assert (predicted(model.probabilities(sensed)) == unseen.symbols.to_numpy()).mean() > 0.99


def test_the_dashboard_may_log_in_where_servers_ask_for_it(tmp_path: Path) -> None:
    environment = {
        "PATH": "/bin",
        "MLFLOW_TRACKING_URI": "http://mlflow",
        "MLFLOW_TRACKING_TOKEN": "m",
        "DRIFTLINE_TOKEN": "d",
        "DB_PASSWORD": "p",
    }
    settings = dashboard_settings(Servers("http://monitor", "", tmp_path, environment, "kafka:9092"), tmp_path)
    assert {name: settings.get(name) for name in environment} == environment | {"DB_PASSWORD": None}
    assert settings["EXAMPLES_MONITOR"] == "http://monitor"
