from importlib.resources import files

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from flaskapp.world.calibration import customers, usage_terms
from flaskapp.world.fit import as_json, fit, logistic


def test_the_committed_curve_is_what_the_script_fits() -> None:
    assert as_json(fit(customers())) == (files("flaskapp.world") / "curve.json").read_text()


def test_newton_finds_what_scikit_learn_finds() -> None:
    table = customers()
    usage = table.usage()
    features = np.column_stack([usage_terms((usage - usage.mean(axis=0)) / usage.std(axis=0)), table.plan])
    theirs = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000).fit(features, table.churned)
    assert logistic(features, table.churned) == pytest.approx([*theirs.intercept_, *theirs.coef_[0]], abs=1e-3)
