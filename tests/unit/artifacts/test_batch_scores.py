"""Batches of Arrow are scored as the estimator scores them, missing values included."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from driftline.artifacts.batch_scores import with_output
from driftline.artifacts.saving import convert_trees


@pytest.mark.slow
def test_batches_have_the_estimators_score() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (slow to import)

    draw = np.random.default_rng(2)
    rows = pd.DataFrame(draw.gamma(1.5, 50.0, (600, 3)), columns=["a", "b", "c"]).mask(draw.random((600, 3)) < 0.2)
    label = (rows["a"].fillna(0) + draw.normal(0, 30, 600) > 80).astype(int)
    estimator = HistGradientBoostingClassifier(max_iter=8).fit(rows, label)
    trees = convert_trees(estimator, rows.head(100)).serialize_bytes()
    named = rows.assign(user=[f"u{n}" for n in range(600)])[["user", "c", "a", "b"]]
    table = pa.Table.from_pandas(named, preserve_index=False)
    batches = with_output(trees, ["a", "b", "c"], "raw", table.to_batches(max_chunksize=250))
    scored = pa.Table.from_batches(batches).to_pandas()
    assert [*scored.columns] == ["user", "c", "a", "b", "raw"]
    np.testing.assert_allclose(scored["raw"], estimator.predict_proba(rows)[:, 1], rtol=0, atol=1e-6)
    empty = pa.RecordBatch.from_pandas(named.head(0), preserve_index=False)
    (result,) = with_output(trees, ["a", "b", "c"], "raw", [empty])
    assert (result.num_rows, result.schema.names[-1]) == (0, "raw")
