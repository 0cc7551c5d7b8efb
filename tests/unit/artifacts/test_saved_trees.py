"""Saved trees score as the estimator that they came from; what cannot be served is refused with its reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.artifacts.inputs import Matrix
from driftline.artifacts.loading import TREES_FORMAT, load_scorer
from driftline.artifacts.output_rule import ScoreCalibration, Scored
from driftline.artifacts.saving import save_trees
from driftline.errors import InvalidInput
from driftline.objects import ObjectMissing

DRAW = np.random.default_rng(4)
ROWS = pd.DataFrame({"a": DRAW.normal(size=300), "b": DRAW.integers(0, 3, 300).astype(float)})
TARGET = (ROWS["a"] + ROWS["b"] > 1).astype(int)
Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(estimator: Any, **options: Any) -> str:
        save_trees(estimator, str(tmp_path / "model"), ROWS.head(100), **options)
        return str(tmp_path / "model")

    return saved


def rows(count: int = 20) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in ROWS.head(count).to_dict("records")]


def scores(scored: list[Scored]) -> Matrix:
    return np.array([each.score for each in scored], np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RandomForestClassifier", "HistGradientBoostingClassifier"])
def test_a_binary_model_has_the_estimators_score(save: Save, name: str) -> None:
    import sklearn.ensemble  # noqa: PLC0415  (slow to import)

    estimator = getattr(sklearn.ensemble, name)(random_state=0).fit(ROWS, TARGET)
    scored = load_scorer(save(estimator, threshold=0.4)).score(rows())
    expected = estimator.predict_proba(ROWS.head(20))[:, 1]
    np.testing.assert_allclose(scores(scored), expected, atol=1e-6)
    assert [each.prediction for each in scored] == [int(score >= 0.4) for score in expected]


@pytest.mark.slow
def test_several_classes_and_a_regression(save: Save) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: PLC0415

    classes = np.array(["low", "middle", "high"])[ROWS["b"].astype(int)]
    estimator = HistGradientBoostingClassifier(max_iter=5).fit(ROWS, classes)
    scored = load_scorer(save(estimator)).score(rows())
    assert [each.prediction for each in scored] == [*estimator.predict(ROWS.head(20))]
    expected = estimator.predict_proba(ROWS.head(20))
    for place, name in enumerate(estimator.classes_):
        np.testing.assert_allclose([(each.scores or {})[name] for each in scored], expected[:, place], atol=1e-6)
    regression = HistGradientBoostingRegressor(max_iter=5).fit(ROWS, ROWS["a"])
    values = np.array([each.prediction for each in load_scorer(save(regression)).score(rows())], np.float64)
    np.testing.assert_allclose(values, regression.predict(ROWS.head(20)), atol=1e-6)


@pytest.mark.slow
def test_categories_are_sent_as_text_and_a_score_can_be_calibrated(save: Save) -> None:
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    estimator = RandomForestClassifier(5, random_state=0).fit(ROWS, TARGET)
    plain = load_scorer(save(estimator)).score(rows())
    address = save(estimator, categories={"b": ["x", "y", "z"]}, calibration=ScoreCalibration(0.0, 1.0))
    texts = [{**row, "b": "xyz"[int(row["b"])]} for row in rows()]
    calibrated = load_scorer(address).score(texts)
    np.testing.assert_allclose(scores(calibrated), np.clip(scores(plain), 1e-6, 1 - 1e-6), atol=1e-9)


@pytest.mark.slow
def test_an_estimator_of_no_trees_is_refused(save: Save) -> None:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    with pytest.raises(InvalidInput, match="LogisticRegression cannot be saved as trees"):
        save(LogisticRegression().fit(ROWS, TARGET))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON"),
        ('{"format": "pickle"}', f"has the format 'pickle', and this program reads '{TREES_FORMAT}'"),
        ('{"threshold": 0.5, "calibration": {"intercept": 0, "slope": 1}, "details": {}}', "has the stages none"),
    ],
)
def test_another_artifact_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(InvalidInput, match=reason):
        load_scorer(str(tmp_path))


def test_a_missing_or_broken_artifact_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match="There is no artifact"):
        load_scorer(str(tmp_path))
    described: dict[str, Any] = {"format": TREES_FORMAT, "problem": "binary", "features": [], "categories": {}}
    described |= {"classes": [], "logged": [], "filled": {}, "threshold": 0.5, "calibration": None, "details": {}}
    (tmp_path / "model.json").write_text(json.dumps(described))
    (tmp_path / "trees.bin").write_bytes(b"no trees")
    with pytest.raises(InvalidInput, match=r"trees.bin cannot be read"):
        load_scorer(str(tmp_path))
