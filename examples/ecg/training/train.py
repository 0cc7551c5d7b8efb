"""Compares both models, records them in MLflow, names the champion, and writes its reference for the monitor."""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from examples.ecg.models import classifiers, comparison, snapshot_ensemble
from examples.ecg.models.classifiers import PARAMETERS, TRAINERS, Classifier, predicted
from examples.ecg.models.comparison import (
    CONFIDENCE,
    EstimatedMetric,
    Symbols,
    measures,
    out_of_fold,
    paired_test,
    recalls,
)
from examples.ecg.models.registry import TrainedModel, connected, record
from examples.ecg.record import features
from examples.ecg.record.beats import Beats, read_beats, split
from examples.ecg.steps import CHAMPION, COMPARISON, REFERENCE, REGISTERED, SNAPSHOTS, SUMMARY, XGBOOST
from examples.ecg.stream.days import BeatPlan, draw_days, scored

SIGNIFICANT = 0.05
MODULES = (features, snapshot_ensemble, classifiers, comparison)
SOURCES = (Path(__file__), *(Path(f"{module.__file__}") for module in MODULES))
"""The code of which models and their metrics are the result."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on the known beats of an object store; write the comparison and `reference.csv` to a folder."""
    parser = argparse.ArgumentParser(prog="python -m examples.ecg.training.train", description=__doc__)
    parser.add_argument("objects", help="address of the object store: s3://BUCKET, or a folder")
    parser.add_argument("folder", type=Path, help="folder of the files that are written")
    parser.add_argument("mlflow", help="address of MLflow's server or store")
    options = parser.parse_args(arguments)
    sys.stdout.write(train(read_beats(options.objects), options.folder.resolve(), options.mlflow))
    return 0


def train(beats: Beats, folder: Path, mlflow: str) -> str:
    """Take all steps and return the results in words."""
    known, unseen = split(beats)
    symbols = known.symbols.to_numpy(np.str_)
    predictions = out_of_fold(known)
    compared = {name: measures(symbols, predictions[name]) for name in TRAINERS}
    test = paired_test(symbols, predictions[XGBOOST], predictions[SNAPSHOTS])
    is_better = test.second_only > test.first_only and test.p_value < SIGNIFICANT
    champion = SNAPSHOTS if is_better else XGBOOST
    models = {name: fit(known.features, known.symbols) for name, fit in TRAINERS.items()}
    made_of = content_hash(known)
    with connected(mlflow) as client:
        for name, model in models.items():
            metrics = _metrics(compared[name]) | {"paired_test_p": test.p_value}
            version = record(client, TrainedModel(name, model, PARAMETERS[name], metrics, made_of), folder / "mlflow")
            if name == champion:
                client.set_registered_model_alias(REGISTERED, CHAMPION, version)
    report: dict[str, Any] = {
        "champion": champion,
        "measures": {name: {key: asdict(measure) for key, measure in compared[name].items()} for name in models},
        "paired_test": asdict(test),
        "known": {name: _recalls(symbols, predictions[name]) for name in models},
        "unseen": {name: _recalls_of(model, unseen) for name, model in models.items()},
    }
    (folder / COMPARISON).write_text(json.dumps(report, indent=2) + "\n")
    scored(models[champion], draw_days(unseen, BeatPlan(), reference=True)).to_csv(folder / REFERENCE, index=False)
    summary = "\n".join(_lines(report)) + "\n"
    (folder / SUMMARY).write_text(summary)
    return summary


def content_hash(known: Beats) -> str:
    """Return the hash of what models and metrics are made of: features, symbols, parameters, and code."""
    content = hashlib.sha256(json.dumps([PARAMETERS, known.symbols.tolist()], sort_keys=True).encode())
    content.update(np.ascontiguousarray(known.features.to_numpy()).tobytes())
    for file in SOURCES:
        content.update(file.read_bytes())
    return content.hexdigest()


def _metrics(compared: Mapping[str, EstimatedMetric]) -> dict[str, float]:
    values = {name: measure.value for name, measure in compared.items()}
    return values | {f"{name}_error": measure.error for name, measure in compared.items()}


def _recalls(symbols: Symbols, predictions: Symbols) -> dict[str, dict[str, float]]:
    return {name: asdict(recall) for name, recall in recalls(symbols, predictions).items()}


def _recalls_of(model: Classifier, beats: Beats) -> dict[str, dict[str, float]]:
    return _recalls(beats.symbols.to_numpy(np.str_), predicted(model.probabilities(beats.features)))


def _lines(report: Mapping[str, Any]) -> list[str]:
    """Return the comparison as lines of text."""
    lines = []
    for name, compared in report["measures"].items():
        values = ", ".join(f"{key} {each['value']:.4f} ± {each['error']:.4f}" for key, each in compared.items())
        lines.append(f"{name}: {values}")
    test = report["paired_test"]
    lines.append(
        f"Only {XGBOOST} is right about {test['first_only']} beats, only {SNAPSHOTS} about {test['second_only']}; "
        f"McNemar's exact p = {test['p_value']:.3f}. Champion: {report['champion']}."
    )
    for symbol, recall in report["unseen"][report["champion"]].items():
        lines.append(
            f"Unseen beats of class {symbol}: {recall['recognized']} of {recall['beats']} recognized; "
            f"{CONFIDENCE:.0%} interval {recall['lower']:.3f} to {recall['upper']:.3f}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
