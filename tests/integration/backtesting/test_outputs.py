"""Unusual scores and predictions are converted, or named in a note before all results."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from tests.unit.backtesting.conftest import Invoke

UNTIL = "2026-01-21"


@pytest.fixture(scope="module")
def sound() -> pd.DataFrame:
    """A calibrated model that never changes: 100 rows a day for 40 days."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=4_000)
    score = 1 / (1 + np.exp(-1.5 * x))
    when = pd.date_range("2026-01-01", periods=4_000, freq="864s")
    return pd.DataFrame({"ts": when, "x": x, "score": score, "label": (rng.random(4_000) < score).astype(int)})


def run(frame: pd.DataFrame, **options: Any) -> dl.BacktestResult:
    roles = {"timestamp": "ts", "label": "label", "score": "score", "reference_until": UNTIL, "chunk": "1w"}
    return dl.backtest(frame, **(roles | options))


def accuracy(result: dl.BacktestResult) -> float:
    """Return the accuracy over the analysis, from the accuracies of the chunks."""
    rows = [
        (r.value, r.rows) for c in result.chunks for r in c.results if (r.kind, r.method) == ("realized", "accuracy")
    ]
    return sum((value or 0) * count for value, count in rows) / sum(count for _, count in rows)


@pytest.mark.parametrize(("name", "words"), [("percent", "read as percent"), ("log-odds", "read as log-odds")])
def test_a_score_in_another_unit_is_converted(name: str, words: str, sound: pd.DataFrame) -> None:
    score = 100 * sound.score if name == "percent" else np.log(sound.score / (1 - sound.score))
    result = run(sound.assign(score=score))
    after = sound[sound.ts >= UNTIL]
    assert accuracy(result) == pytest.approx(float(((after.score >= 0.5) == after.label).mean()), abs=1e-12)
    assert words in " ".join(result.notes)
    assert words in result.to_html()
    assert words in repr(result)
    assert result.to_dict()["notes"] == list(result.notes)


def test_a_confidence_is_converted(sound: pd.DataFrame) -> None:
    predicted = sound.assign(pred=(sound.score >= 0.5).astype(int))
    right = run(predicted, prediction="pred")
    confident = run(predicted.assign(score=np.maximum(sound.score, 1 - sound.score)), prediction="pred")
    values = [[r.value for r in chunk.results if r.subject == "model"] for chunk in right.chunks]
    for chunk, expected in zip(confident.chunks, values, strict=True):
        assert [r.value for r in chunk.results if r.subject == "model"] == pytest.approx(expected, abs=1e-9)
    assert "confidence in the predicted class" in confident.notes[0]
    assert not right.notes


def test_a_rounding_error_above_1_is_ignored(sound: pd.DataFrame) -> None:
    rounded = sound.assign(score=np.where(sound.score > 0.95, 1.0000001, sound.score))
    result = run(rounded, spec={"metrics": ["log_loss", "brier"]})
    assert not result.notes
    assert all(r.value is not None for r in result.chunks[0].results if r.kind == "realized")


def test_estimates_from_scores_without_a_unit_are_calibrated(sound: pd.DataFrame) -> None:
    result = run(sound.assign(score=300 + 550 * sound.score))
    assert "not a probability" in result.notes[0]
    for chunk in result.chunks:
        estimates = [r.value for r in chunk.results if r.kind == "estimated"]
        assert all(value is not None and 0 < value < 1 for value in estimates)


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"score": lambda d: 1 - d.score}, {}, "score ranks below chance in the reference"),
        ({"score": lambda d: np.random.default_rng(1).random(len(d))}, {}, "ranks labels no better than chance"),
        ({"pred": lambda d: (d.score < 0.5).astype(int)}, {"prediction": "pred"}, "score contradicts pred"),
        (
            {"pred": lambda d: (d.score < 0.5).astype(int)},
            {"prediction": "pred", "score": None},
            "pred ranks below chance in the reference",
        ),
        (
            {"value": lambda d: 100 + d.x, "pred": lambda d: d.x},
            {"label": "value", "prediction": "pred", "score": None, "problem": "regression"},
            "pred is farther from the label",
        ),
        (
            {"name": lambda d: d.label.map({0: "a", 1: "b"}), "pred": lambda d: d.label.map({0: "b", 1: "a"})},
            {"label": "name", "prediction": "pred", "score": None, "problem": "multiclass"},
            "agrees with the label no more often than by chance",
        ),
    ],
)
def test_outputs_that_contradict_the_labels_are_noted(
    changes: dict[str, Any], options: dict[str, Any], words: str, sound: pd.DataFrame
) -> None:
    result = run(sound.assign(**changes), features=["x"], **options)
    assert words in " ".join(result.notes)


def test_a_later_change_of_the_unit_is_a_reason_of_the_verdict(sound: pd.DataFrame) -> None:
    changed = sound.assign(score=np.where(sound.ts < "2026-01-29", sound.score, 100 * sound.score))
    result = run(changed)
    later = [chunk for chunk in result.chunks if chunk.start.isoformat() > "2026-01-28"]
    assert all("scores are outside 0 to 1" in " ".join(chunk.verdict.reasons) for chunk in later)
    assert all("outside 0 to 1" not in " ".join(chunk.verdict.reasons) for chunk in result.chunks[:1])


def test_the_command_prints_notes_on_standard_error(sound: pd.DataFrame, tmp_path: Path, invoke: Invoke) -> None:
    file = tmp_path / "d.csv"
    sound.assign(score=100 * sound.score).to_csv(file, index=False)
    options = ("--timestamp", "ts", "--label", "label", "--score", "score", "--reference-until", UNTIL, "--chunk", "1w")
    completed = invoke(file, *options)
    assert completed.exit_code == 0
    assert "note score: score is read as percent" in completed.stderr


def test_a_monitor_accepts_probabilities_only(sound: pd.DataFrame) -> None:
    frame = pd.DataFrame(
        {
            "event_time": sound.ts.dt.tz_localize("UTC"),
            "id": np.arange(len(sound)),
            "x": sound.x,
            "probability_1": 100 * sound.score,
            "prediction": (sound.score >= 0.5).astype(int),
            "label": sound.label,
        }
    )
    with pytest.raises(dl.InvalidInput, match=r"'probability_1' holds 3,9\d\d values outside 0 to 1 .*percent by 100"):
        dl.Monitor({"columns": ["x"]}).fit(frame)
