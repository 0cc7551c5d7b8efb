"""The beats of the committed record, cut with numpy: what the ETL in Spark is compared with."""

import csv
import gzip
from functools import cache

import numpy as np
import pandas as pd

from examples.ecg.record.beats import Beats
from examples.ecg.record.features import BEFORE, RATE, SAMPLES
from examples.ecg.record.upload import ANNOTATIONS, DATA, SIGNAL


@cache
def beats() -> Beats:
    """Return the beats of the record, cut by numpy alone."""
    with gzip.open(DATA / SIGNAL, "rt") as file:
        signal = np.array(" ".join(line.partition(",")[2] for line in file).split(), dtype=float)
    with (DATA / ANNOTATIONS).open() as file:
        rows = list(csv.DictReader(file))
    sample = np.array([int(row["sample"]) for row in rows])
    interval = np.diff(sample, prepend=np.nan) / RATE
    ratio = interval / pd.Series(interval).shift(1).rolling(8, min_periods=1).mean().to_numpy()
    complete = (sample >= BEFORE) & (sample - BEFORE + SAMPLES <= len(signal)) & ~np.isnan(ratio)
    windows = np.stack([signal[start - BEFORE : start - BEFORE + SAMPLES] for start in sample[complete]])
    millivolts = (windows - np.median(windows, axis=1, keepdims=True)) / 200
    symbols = pd.Series([row["symbol"] for row in rows])[complete].reset_index(drop=True)
    return Beats(symbols, interval[complete], ratio[complete], millivolts)
