"""ROC AUC from ranks, in any order of the rows."""

import numpy as np
import pytest

from driftline.engine.performance.ranks import roc_auc_of


def test_roc_auc_counts_pairs_and_half_of_the_ties() -> None:
    values, classes = np.array([1.0, 2.0, 2.0, 3.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    pairs = [
        (positive > negative) + (positive == negative) / 2 for positive in (2.0, 3.0, 0.0) for negative in (1.0, 2.0)
    ]
    assert roc_auc_of(values, classes) == pytest.approx(sum(pairs) / 6)
    assert roc_auc_of(values, np.ones(5)) is None
