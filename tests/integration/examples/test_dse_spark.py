"""The features and the score in Spark equal those of training, also where windows reach into earlier micro-batches."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from examples.dse.features import FEATURES, LABEL, add_features
from examples.dse.model import IndexModel, train
from examples.dse.replay import replay
from examples.dse.scoring import DAY_SCHEMA, StreamScoring
from examples.dse.simulation import simulate_index
from examples.dse.topic_days import NUMBERS, TOPIC, read_days
from examples.dse.trading_calendar import TradingCalendar, closing
from examples.kafka_topics import create_topics

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)
SIMULATED = simulate_index(date(2020, 1, 1), date(2020, 6, 30), turbulent_from=date(2020, 5, 1), seed=3)
DAYS = SIMULATED.drop(index=[65, 90]).reset_index(drop=True)
"""Days with two gaps, the first of them between two micro-batches."""
STREAMED = DAYS.iloc[62:]
CALENDAR = TradingCalendar()


class ClientRecorder:
    """Keeps what a client of the monitor is given."""

    def __init__(self) -> None:
        self.predictions: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, tuple[int, Any]] = {}
        self.refused_batches = 0

    def log(self, features: dict[str, Any], prediction: int, score: float, id: str, at: Any) -> str:
        row = {**features, "prediction": prediction, "score": score, "at": at}
        assert self.predictions.setdefault(id, row) == row, "the same day is predicted differently"
        return id

    def log_labels(self, labels: dict[str, int], known_at: Any) -> int:
        for day, label in labels.items():
            assert self.labels.setdefault(day, (label, known_at)) == (label, known_at)
        return len(labels)

    def flush(self, timeout: float) -> bool:
        return timeout > 0

    def status(self) -> "ClientRecorder":
        return self


@pytest.fixture(scope="module")
def model() -> IndexModel:
    return train(add_features(DAYS, CALENDAR))


def batches(sizes: tuple[int, ...]) -> Iterator[pd.DataFrame]:
    """Yield the streamed days in parts of some sizes, which repeat."""
    first = 0
    while first < len(STREAMED):
        for size in sizes:
            yield STREAMED.iloc[first : first + size]
            first += size


def test_micro_batches_score_as_training_does(example_spark: SparkSession, model: IndexModel, tmp_path: Path) -> None:
    recorder = ClientRecorder()
    stream = StreamScoring(model, CALENDAR, recorder, tmp_path)  # type: ignore[arg-type]
    stream.start(example_spark, DAYS.iloc[:62])
    parts = [part for part in batches((3, 1, 60)) if len(part)]
    for number, part in enumerate(parts):
        rows = [(day["date"].date(), *(float(day[name]) for name in NUMBERS)) for day in part.to_dict("records")]
        frame = example_spark.createDataFrame(rows, DAY_SCHEMA)
        stream.score_batch(frame, number)
        if number == 1:  # as after a failure: the same batch once more
            stream.score_batch(frame, number)
    stream.score_batch(frame, len(parts))  # sent once more, as by a second run
    assert len([folder for folder in tmp_path.iterdir() if folder.name.isdigit()]) == len(parts), "no empty folder"
    expected = add_features(DAYS, CALENDAR).set_index("date").loc[STREAMED["date"].iloc[0] :]
    logged = pd.DataFrame.from_dict(recorder.predictions, orient="index")
    assert [*logged.index] == [f"{day:%Y-%m-%d}" for day in expected.index]
    for name in FEATURES:
        np.testing.assert_allclose(logged[name].astype(float), expected[name], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(logged["score"].astype(float), model.score(expected), rtol=1e-9)
    known = add_features(DAYS, CALENDAR).dropna(subset=[LABEL]).set_index("date").loc[STREAMED["date"].iloc[0] :]
    labels = {
        day: label for day, (label, _) in recorder.labels.items() if day >= f"{STREAMED['date'].iloc[0]:%Y-%m-%d}"
    }
    assert labels == {f"{day:%Y-%m-%d}": int(label) for day, label in known[LABEL].items()}
    assert len(labels) == len(STREAMED) - 3, "before each gap and at the end, the label is unknown"
    assert all(
        known_at == closing(CALENDAR.next_trading_day(date.fromisoformat(day)))
        for day, (_, known_at) in recorder.labels.items()
    )


def test_messages_that_are_not_a_day_are_left_out(
    example_spark: SparkSession, model: IndexModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = ClientRecorder()
    stream = StreamScoring(model, CALENDAR, recorder, tmp_path)  # type: ignore[arg-type]
    stream.start(example_spark, DAYS.iloc[:62])
    day = {name: float(STREAMED[name].iloc[0]) for name in NUMBERS} | {"date": f"{STREAMED['date'].iloc[0]:%Y-%m-%d}"}
    faulty: list[dict[str, Any]] = [
        {"date": None},
        {"close": None},
        {"close": float("nan")},
        {"close": 0},
        {"date": "9999-12-31"},
    ]
    values = [*(json.dumps(day | fault) for fault in faulty), "[]", "{", None, json.dumps(day)]
    messages = example_spark.createDataFrame([*enumerate(values)], "offset BIGINT, value STRING")
    stream.score_messages(messages, 0)
    assert [*recorder.predictions] == [day["date"]]
    assert [message.split(" is left out")[0] for message in caplog.messages] == [
        f"The message at offset {offset} of {TOPIC}" for offset in range(len(values) - 1)
    ]


def test_days_that_the_topic_has_are_not_sent_again(kafka: str) -> None:
    create_topics(kafka, TOPIC)
    assert [replay(STREAMED.iloc[:9], kafka), replay(STREAMED.iloc[:9], kafka)] == [9, 0]
    assert replay(STREAMED.iloc[3:12], kafka) == 3, "the days decide, not their number"
    pd.testing.assert_frame_equal(
        read_days(kafka), STREAMED.iloc[:12].reset_index(drop=True)[["date", *NUMBERS]], check_dtype=False
    )
