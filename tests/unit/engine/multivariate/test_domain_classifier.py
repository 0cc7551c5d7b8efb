"""The domain classifier: what it separates, what it stores, and that row order is irrelevant."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from driftline.engine.catalogue import ColumnKind
from driftline.engine.multivariate import domain_classifier
from driftline.engine.multivariate.domain_classifier import DomainClassifier
from driftline.engine.results import State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import MissingLibrary

SPEC = Spec(
    columns=(ColumnSpec(name="b"), ColumnSpec(name="a"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)),
    minimum_rows=5,
)


def _rows(rows: int, seed: int = 0, slope: float = 1.0) -> pd.DataFrame:
    """Return rows with two related numbers and a category, some missing."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows) // 3, unit="h"),
            "id": np.arange(rows),
            "a": np.where(rng.random(rows) < 0.1, np.nan, a),
            "b": slope * a + rng.normal(0, 0.3, rows),
            "plan": np.array(["x", "y", None], dtype=object)[rng.integers(0, 3, rows)],
        }
    )


@pytest.fixture(scope="module")
def fitted() -> DomainClassifier:
    return DomainClassifier.fit(_rows(600), SPEC)


def _value(fitted: DomainClassifier, rows: pd.DataFrame) -> float:
    outcome = fitted.outcome(fitted.summarize(rows), SPEC)
    assert outcome.value is not None
    assert outcome.effect == outcome.value - 0.5
    assert outcome.rows == len(rows)
    return outcome.value


@pytest.mark.slow
def test_rows_of_the_same_distribution_are_not_separated(fitted: DomainClassifier) -> None:
    assert _value(fitted, _rows(300, seed=1)) == pytest.approx(0.5, abs=0.08)


def test_a_broken_relation_separates_the_rows(fitted: DomainClassifier) -> None:
    assert _value(fitted, _rows(300, seed=1, slope=-1.0)) > 0.75


def test_an_unseen_category_separates_the_rows(fitted: DomainClassifier) -> None:
    assert _value(fitted, _rows(300, seed=1).assign(plan="new")) > 0.9


@pytest.mark.slow
def test_parts_and_rows_in_any_order_give_the_same_value(fitted: DomainClassifier) -> None:
    rows = _rows(120, seed=1, slope=0.5)
    parts = [fitted.summarize(rows[:0]), fitted.summarize(rows[::2]), fitted.summarize(rows[1::2])]
    merged = parts[2].merge(parts[0]).merge(parts[1])
    shuffled = rows.sample(frac=1, random_state=1).assign(id=lambda frame: frame["id"].astype(float))
    assert fitted.outcome(merged, SPEC).value == _value(fitted, rows) == _value(fitted, shuffled)


@pytest.mark.slow
def test_the_state_survives_json(fitted: DomainClassifier) -> None:
    restored = DomainClassifier.from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))
    assert restored.to_dict() == fitted.to_dict()
    rows = _rows(50, seed=1)
    assert _value(restored, rows) == _value(fitted, rows)


def test_features_of_one_kind_suffice() -> None:
    for names in (("a", "b"), ("plan",)):
        spec = SPEC.model_copy(update={"columns": tuple(c for c in SPEC.columns if c.name in names)})
        state = DomainClassifier.fit(_rows(60), spec)
        assert state.outcome(state.summarize(_rows(30, seed=1)), spec).value is not None
        assert DomainClassifier.from_dict(state.to_dict()).to_dict() == state.to_dict()


def test_a_long_reference_is_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_classifier, "REFERENCE_ROWS", 100)
    rows = _rows(1_000).assign(a=np.arange(1_000.0))
    stored = DomainClassifier.fit(rows, SPEC).frame["a"]
    assert len(stored) == 100
    assert (stored.iloc[0], stored.iloc[-1]) == (0, 999)
    assert set(np.diff(stored)) == {10, 11}
    assert len(DomainClassifier.fit(rows[:100], SPEC).frame) == 100


@pytest.mark.parametrize(
    ("reference", "chunk", "reason"),
    [(60, 4, "4 rows, fewer than the minimum of 5"), (4, 60, "4 rows in the reference, fewer than the minimum of 5")],
)
def test_too_few_rows_for_the_folds_are_insufficient(reference: int, chunk: int, reason: str) -> None:
    state = DomainClassifier.fit(_rows(reference), SPEC)
    outcome = state.outcome(state.summarize(_rows(chunk)), SPEC.model_copy(update={"minimum_rows": 2}))
    assert (outcome.value, outcome.reason, outcome.state) == (None, reason, State.INSUFFICIENT)


@pytest.mark.parametrize(("reference", "chunk"), [(13, 7), (5, 5), (101, 44)])
def test_folds_equal_those_of_scikit_learn(reference: int, chunk: int) -> None:
    sides = np.repeat([0, 1], [reference, chunk])
    fold = domain_classifier._folds(sides)
    for number, (_, test) in enumerate(StratifiedKFold(5).split(sides, sides)):
        assert np.flatnonzero(fold == number).tolist() == test.tolist()


def test_the_roc_auc_equals_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    scores, sides = np.round(rng.random(200), 1), rng.integers(0, 2, 200)
    assert domain_classifier._roc_auc(scores, sides) == pytest.approx(roc_auc_score(sides, scores), rel=1e-12)


def test_without_lightgbm_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'driftline\[dle\]'"):
        DomainClassifier.fit(_rows(60), SPEC)
