"""A chunk that Spark summarizes by partition equals the chunk computed in one piece."""

import pickle
import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import reduce

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from driftline.engine.catalogue import ColumnKind
from driftline.engine.computation.fitted_methods import Summary
from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import Quality, Statistic
from driftline.engine.spec import ColumnSpec, Spec

SPEC = Spec(
    columns=(ColumnSpec(name="usage"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)),
    quality=(Quality.MISSING_VALUES, Quality.UNSEEN_CATEGORIES, Quality.OUT_OF_RANGE, Quality.ROW_COUNT),
    statistics=tuple(Statistic),
    segments=("plan",),
)


def scored(rows: int, days: int, seed: int) -> pd.DataFrame:
    """Return rows of some days; a twentieth of `usage` and a tenth of the labels are missing."""
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 5, rows)
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(np.arange(rows) * days / rows, unit="D"),
            "id": np.arange(rows),
            "usage": np.where(rng.random(rows) < 0.05, np.nan, rng.gamma(2, 50 + seed, rows)),
            "plan": rng.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]),
            "probability_1": score,
            "prediction": (score > 0.4).astype(np.int64),
            "label": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows) < score),
        }
    )


def test_merged_partitions_equal_the_chunk_in_one_piece(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark.sparkContext, "pythonExec", sys.executable)
    fitted = fit_reference(scored(6_000, 10, seed=0), SPEC)
    chunk = scored(3_000, 1, seed=9).drop(columns="event_time")

    def parts(frames: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
        for frame in frames:
            yield pd.DataFrame({"part": [pickle.dumps(summarize_chunk(fitted, SPEC, frame))]})

    partitions = spark.createDataFrame(chunk).repartition(5).mapInPandas(parts, "part binary").collect()
    assert len(partitions) == 5
    summaries: list[Summary] = [pickle.loads(row["part"]) for row in partitions]  # noqa: S301 - written above
    merged = finish_chunk(fitted, SPEC, reduce(Summary.merge, summaries))
    from_chunk = evaluate_chunk(fitted, SPEC, chunk)
    assert [(r.segment, r.subject, r.kind, r.method, r.state) for r in merged] == [
        (r.segment, r.subject, r.kind, r.method, r.state) for r in from_chunk
    ]
    for result, expected in zip(merged, from_chunk, strict=True):
        assert result.value == pytest.approx(expected.value, rel=1e-12), asdict(expected)
        assert result.rows == expected.rows
