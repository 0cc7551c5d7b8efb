"""The features of a beat: its wave in 17 parts, its extremes, and the time since the beat before. No I/O here."""

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

SAMPLES, BEFORE, RATE = 187, 90, 360
"""Samples of a beat, those of them before its annotation, and samples in a second."""
PARTS = 17
WAVE = tuple(f"wave_{part:02d}" for part in range(PARTS))
PEAK, TROUGH, INTERVAL, RATIO = "peak", "trough", "rr", "rr_ratio"
FEATURES = (*WAVE, PEAK, TROUGH, INTERVAL, RATIO)
"""Means of 11 samples each and extremes in mV, the interval in seconds, and its ratio to the mean of 8 before."""


def features_of(samples: FloatArray, interval: FloatArray, ratio: FloatArray) -> pd.DataFrame:
    """Return the features of beats; `samples` has a row of 187 values in mV for each of them."""
    parts = samples.reshape(len(samples), PARTS, SAMPLES // PARTS).mean(axis=2)
    extremes = np.column_stack([samples.max(axis=1), samples.min(axis=1)])
    return pd.DataFrame(np.column_stack([parts, extremes, interval, ratio]), columns=list(FEATURES))
