"""Trains the model on a file of days and writes the reference; Airflow runs it each trading day."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pandas as pd

from examples.dse.features import FEATURES, LABEL, add_features
from examples.dse.index_file import read_index
from examples.dse.model import THRESHOLD, train

DAYS, MODEL, REFERENCE = "training.csv", "model.json", "reference.csv"
TRAINED_SHARE = 1 / 3
"""The share of the days that train the model; the later ones are the reference."""
CLOSE_UTC = timedelta(hours=8, minutes=30)
"""When trading ends, 14:30 in Dhaka, which has no daylight saving time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on `training.csv` of a folder; write `model.json` and `reference.csv` there."""
    parser = argparse.ArgumentParser(prog="python -m examples.dse.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with training.csv")
    folder: Path = parser.parse_args(arguments).folder
    days = add_features(read_index(folder / DAYS))
    trained = days.head(round(len(days) * TRAINED_SHARE))
    model = train(trained)
    model.save(folder / MODEL)
    reference = reference_of(days.iloc[len(trained) :], model.score(days.iloc[len(trained) :]))
    reference.to_csv(folder / REFERENCE, index=False)
    sys.stdout.write(f"Trained on {len(trained):,} days; the reference has {len(reference):,}.\n")
    return 0


def reference_of(days: pd.DataFrame, score: "pd.Series[float]") -> pd.DataFrame:
    """Return scored days as the monitor takes them: `id`, `at`, features, `score`, `prediction` and `up`."""
    return pd.DataFrame(
        {
            "id": days["date"].dt.strftime("%Y-%m-%d"),
            "at": (days["date"] + CLOSE_UTC).dt.tz_localize("UTC"),
            **{name: days[name] for name in FEATURES},
            "score": score,
            "prediction": (score >= THRESHOLD).astype(int),
            LABEL: days[LABEL].astype("Int64"),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
