"""Runs Evidently in its separate environment: reads chunks as Parquet, prints what failed in each as JSON."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

SCORE, PREDICTION, LABEL = "probability_1", "prediction", "label"


def failed(report: Any, chunk: Any, reference: Any) -> dict[str, list[str]]:
    """Return which tests of a report failed: performance metrics by name, and columns that drifted."""
    tests = json.loads(report.run(chunk, reference).json())["tests"]
    names = [test["name"] for test in tests if test["status"] != "SUCCESS"]
    drift = "Value Drift for column "
    return {
        "metrics": [name.partition(" metric")[0] for name in names if " metric: " in name],
        "columns": [name.removeprefix(drift) for name in names if name.startswith(drift)],
    }


def until_alarm(report: Any, chunks: list[Any], reference: Any, evaluate_all: bool) -> list[dict[str, list[str]]]:
    """Evaluate chunks in order until a metric fails, or all of them if `evaluate_all` is set."""
    failures: list[dict[str, list[str]]] = []
    for chunk in chunks:
        failures.append(failed(report, chunk, reference))
        if failures[-1]["metrics"] and not evaluate_all:
            break
    return failures


def main() -> None:
    """Evaluate every stream of a folder; all chunks of the first one are evaluated."""
    folder = Path(sys.argv[1])
    evidently, presets = import_module("evidently"), import_module("evidently.presets")
    columns = json.loads((folder / "columns.json").read_text())
    definition = evidently.DataDefinition(
        numerical_columns=columns["continuous"],
        categorical_columns=columns["categorical"],
        classification=[
            evidently.BinaryClassification(
                target=LABEL, prediction_labels=PREDICTION, prediction_probas=SCORE, pos_label=1
            )
        ],
    )

    def dataset(rows: pd.DataFrame) -> Any:
        typed = rows.astype({LABEL: int, PREDICTION: int})
        return evidently.Dataset.from_pandas(typed, data_definition=definition)

    report = evidently.Report([presets.DataDriftPreset(), presets.ClassificationPreset()], include_tests=True)
    reference = dataset(pd.read_parquet(folder / "reference.parquet"))
    results = []
    for place, path in enumerate(sorted(folder.glob("[0-9]*.parquet"))):
        rows = pd.read_parquet(path)
        chunks = [dataset(part.drop(columns="chunk")) for _, part in rows.groupby("chunk")]
        results.append(until_alarm(report, chunks, reference, evaluate_all=place == 0))
        print(f"  Evidently: stream {place + 1}", file=sys.stderr, flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
