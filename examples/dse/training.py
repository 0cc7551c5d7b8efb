"""Trains the model on a file of days and writes the reference; Airflow runs it each trading day."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from driftline import DriftlineError, InvalidInput
from examples.dse.features import FEATURES, LABEL, add_features
from examples.dse.index_file import read_index
from examples.dse.model import THRESHOLD, train
from examples.dse.trading_calendar import TradingCalendar, add_holidays_option, closing, differences
from examples.entry_points import run_main

DAYS, MODEL, REFERENCE = "training.csv", "model.json", "reference.csv"
CLASSES = (0, 1)
TRAINED_SHARE = 1 / 3
"""The share of the days that train the model; the later ones are the reference."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on `training.csv` of a folder; write `model.json` and `reference.csv` there."""
    parser = argparse.ArgumentParser(prog="python -m examples.dse.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with training.csv")
    add_holidays_option(parser)
    options = parser.parse_args(arguments)
    days = read_index(options.folder / DAYS)
    for line in differences((day.date() for day in days["date"]), options.holidays):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(train_on(days, options.folder, options.holidays))
    return 0


def kept_days(folder: Path, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the days of `training.csv`: at first those before the stream; the daily retrain adds later ones."""
    file = folder / DAYS
    if not file.exists():
        staged = file.with_suffix(".partial")
        earlier.to_csv(staged, index=False)
        staged.replace(file)
    return read_index(file)


def train_on(days: pd.DataFrame, folder: Path, calendar: TradingCalendar) -> str:
    """Train on days, write `model.json` and `reference.csv` to a folder, and return what was done; raise as `split`."""
    trained, later = split(days, calendar)
    model = train(trained)
    model.save(folder / MODEL)
    reference = reference_of(later, model.score(later))
    reference.to_csv(folder / REFERENCE, index=False)
    return f"Trained on {len(trained):,} days; the reference has {len(reference):,}.\n"


def split(days: pd.DataFrame, calendar: TradingCalendar) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the days with features that train the model, and the later ones, which are the reference.

    Raises:
        InvalidInput: the days are too few: one of both has no day after which the index rises, or none after which it
            falls.
    """
    complete = add_features(days, calendar)
    trained = round(len(complete) * TRAINED_SHARE)
    parts = complete.iloc[:trained], complete.iloc[trained:]
    if any(part[LABEL].nunique() < len(CLASSES) for part in parts):
        raise InvalidInput(
            f"{len(days)} days are too few to train on: the first third and the rest each need days after which the "
            "index rises and days after which it falls. Give some hundred days or more."
        )
    return parts


def reference_of(days: pd.DataFrame, score: "pd.Series[float]") -> pd.DataFrame:
    """Return scored days as the monitor takes them: `id`, `at`, features, `score`, `prediction` and `up`."""
    return pd.DataFrame(
        {
            "id": days["date"].dt.strftime("%Y-%m-%d"),
            "at": pd.to_datetime(days["date"].map(lambda day: closing(day.date())), utc=True),
            **{name: days[name] for name in FEATURES},
            "score": score,
            "prediction": (score >= THRESHOLD).astype(int),
            LABEL: days[LABEL].astype("Int64"),
        }
    )


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError))
