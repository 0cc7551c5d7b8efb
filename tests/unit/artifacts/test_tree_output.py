"""Prepared trees give exactly the output that treelite gives, for every kind of model, and from several threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import treelite

from driftline.artifacts.tree_output import PreparedTrees, tree_output

DRAW = np.random.default_rng(2)
ROWS = DRAW.normal(size=(200, 4))
ROWS[::7, 1] = np.nan
NUMBERS = ROWS[:, 0]
CLASSES = DRAW.integers(0, 3, 200)


def boosted(objective: str) -> treelite.Model:
    """Return boosted trees of XGBoost, whose inputs have 32 bits."""
    import xgboost  # noqa: PLC0415  (slow to import)

    options = {"objective": objective} | ({"num_class": 3} if objective == "multi:softprob" else {})
    label = NUMBERS if objective == "reg:squarederror" else CLASSES if "num_class" in options else CLASSES > 0
    trained = xgboost.train(options, xgboost.DMatrix(ROWS, label), 4)
    return treelite.frontend.from_xgboost(trained)


def forest(name: str) -> treelite.Model:
    """Return trees of scikit-learn."""
    import sklearn.ensemble  # noqa: PLC0415

    estimator: Any = getattr(sklearn.ensemble, name)(random_state=0)
    return treelite.sklearn.import_model(estimator.fit(ROWS, NUMBERS if "Regressor" in name else CLASSES))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (boosted, "binary:logistic"),
        (boosted, "multi:softprob"),
        (boosted, "reg:squarederror"),
        (forest, "RandomForestClassifier"),
        (forest, "RandomForestRegressor"),
        (forest, "HistGradientBoostingClassifier"),
    ],
)
def test_the_output_is_treelites(make: Any, name: str) -> None:
    trees = make(name)
    prepared = PreparedTrees(trees)
    matrices = [ROWS[:1], ROWS[3:8], ROWS, np.asfortranarray(ROWS[::2]), ROWS[:2, :3]]
    for matrix in matrices:
        output, expected = prepared.output(matrix), tree_output(trees, matrix)
        assert output.dtype == expected.dtype
        np.testing.assert_array_equal(output, expected)
    with ThreadPoolExecutor(8) as threads:
        outputs = [*threads.map(lambda number: prepared.output(ROWS[number : number + 1]), range(200))]
    np.testing.assert_array_equal(np.concatenate(outputs), tree_output(trees, ROWS))
