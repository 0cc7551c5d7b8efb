"""Evidently's way, run by its own environment's Python: chunks as Parquet in, what failed in each as JSON out."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

SCORE, PREDICTION, LABEL = "probability_1", "prediction", "label"


def failed(report: Any, chunk: Any, reference: Any) -> dict[str, list[str]]:
    """Give which tests of a report failed: performance metrics by name, and columns that drifted."""
    tests = json.loads(report.run(chunk, reference).json())["tests"]
    names = [test["name"] for test in tests if test["status"] != "SUCCESS"]
    drift = "Value Drift for column "
    return {
        "metrics": [name.partition(" metric")[0] for name in names if " metric: " in name],
        "columns": [name.removeprefix(drift) for name in names if name.startswith(drift)],
    }


def until_alarm(report: Any, chunks: list[Any], reference: Any, whole: bool) -> list[dict[str, list[str]]]:
    """Look at chunks in order, until a metric fails unless all are asked for."""
    found: list[dict[str, list[str]]] = []
    for chunk in chunks:
        found.append(failed(report, chunk, reference))
        if found[-1]["metrics"] and not whole:
            break
    return found


def main() -> None:
    """Look at every stream of a folder; the first of a folder is looked at whole."""
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
        whole = rows.astype({LABEL: int, PREDICTION: int})
        return evidently.Dataset.from_pandas(whole, data_definition=definition)

    report = evidently.Report([presets.DataDriftPreset(), presets.ClassificationPreset()], include_tests=True)
    reference = dataset(pd.read_parquet(folder / "reference.parquet"))
    found = []
    for place, path in enumerate(sorted(folder.glob("[0-9]*.parquet"))):
        rows = pd.read_parquet(path)
        chunks = [dataset(own.drop(columns="chunk")) for _, own in rows.groupby("chunk")]
        found.append(until_alarm(report, chunks, reference, whole=place == 0))
        print(f"  Evidently: stream {place + 1}", file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
