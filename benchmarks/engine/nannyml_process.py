"""Runs NannyML as one process: reads a file, computes, writes JSON, and prints its seconds."""

import json
import os
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.engine.processes import METHODS

METRICS = ["roc_auc", "f1", "accuracy"]
PROBLEM = "classification_binary"


def import_nannyml() -> Any:
    """Import NannyML so that it neither calls home nor starts a JVM."""
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    warnings.simplefilter("ignore")
    return import_module("nannyml")


def calculators(nannyml: Any, features: list[str], categorical: list[str]) -> list[Any]:
    """Return all drift methods, realized and estimated performance and missing values, with one chunk per day."""
    chunks = {"timestamp_column_name": "timestamp", "chunk_period": "D"}
    outputs = {"y_true": "label", "y_pred": "prediction", "y_pred_proba": "score", "problem_type": PROBLEM}
    columns = [*features, "score", "prediction"]
    return [
        nannyml.UnivariateDriftCalculator(
            column_names=columns,
            treat_as_categorical=[*categorical, "prediction"],
            **METHODS,
            **chunks,
        ),
        nannyml.PerformanceCalculator(**outputs, metrics=METRICS, **chunks),
        nannyml.CBPE(**outputs, metrics=METRICS, **chunks),
        nannyml.MissingValuesCalculator(column_names=columns, **chunks),
    ]


def main() -> None:
    """Run once with the arguments `FILE REFERENCE_UNTIL OUT`."""
    path, until, out = sys.argv[1:]
    nannyml = import_nannyml()
    began = time.perf_counter()
    rows = pd.read_parquet(path)
    rows["timestamp"] = rows["timestamp"].dt.tz_localize(None)
    cut = pd.Timestamp(until).tz_localize(None)
    reference, analysis = rows[rows["timestamp"] < cut], rows[rows["timestamp"] >= cut]
    features = [name for name in map(str, rows) if name.startswith(("number", "category"))]
    have = time.perf_counter()
    results = []
    for calculator in calculators(nannyml, features, [name for name in features if name.startswith("category")]):
        calculator.fit(reference)
        run = calculator.estimate if hasattr(calculator, "estimate") else calculator.calculate
        results.append(run(analysis).to_df().to_json())
    Path(out).write_text(json.dumps(results), encoding="utf-8")
    ended = time.perf_counter()
    print(json.dumps({"read": have - began, "compute": ended - have}))


if __name__ == "__main__":
    main()
