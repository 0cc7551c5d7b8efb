"""True performance is computed from the probabilities behind the labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from benchmarks.detection.harm import ExpectedPerformance, harmful_chunks, performance

USUAL, WORSE = ExpectedPerformance(0.8, 0.6, 0.9), ExpectedPerformance(0.8, 0.5, 0.9)


def _rows(count: int) -> pd.DataFrame:
    random = np.random.default_rng(4)
    score = random.random(count).round(2)
    chance = score**2
    label = (random.random(count) < chance).astype(int)
    return pd.DataFrame(
        {"probability_1": score, "prediction": (score > 0.6).astype(int), "label": label, "chance": chance}
    )


def test_with_labels_as_chances_it_is_realized_performance() -> None:
    rows = _rows(500)
    label, score, predicted = (rows[name] for name in ("label", "probability_1", "prediction"))
    result = performance(rows, "label")
    assert result.roc_auc == pytest.approx(roc_auc_score(label, score))
    assert result.f1 == pytest.approx(f1_score(label, predicted))
    assert result.accuracy == pytest.approx(accuracy_score(label, predicted))


def test_with_chances_it_is_the_limit_of_many_labels() -> None:
    rows = _rows(200_000)
    real, true = performance(rows, "label"), performance(rows, "chance")
    assert true.roc_auc == pytest.approx(real.roc_auc, abs=0.005)
    assert true.f1 == pytest.approx(real.f1, abs=0.005)
    assert true.accuracy == pytest.approx(real.accuracy, abs=0.005)


def test_a_drift_is_harmful_from_its_first_worse_chunk_on() -> None:
    drifts = (False, True, True, True)
    assert harmful_chunks([USUAL], [WORSE, USUAL, WORSE, WORSE], drifts) == (False, False, True, True)
    assert harmful_chunks([USUAL], [USUAL, USUAL, WORSE, USUAL], drifts) == (False, False, False, False)
