"""64-bit hashes of rows, by the values of their columns however they are stored. No I/O here."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.frames.columns import as_floats, coded

Hashes = npt.NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SEED = len("driftline")


def combine_hashes(parts: Iterable[Hashes], rows: int, seed: int = _SEED) -> Hashes:
    """Combine the hashes of several columns row by row; the order of the columns matters."""
    hashes = np.full(rows, seed, dtype=np.uint64)
    for part in parts:
        hashes = (hashes ^ part) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes


def number_hashes(series: "pd.Series[Any]") -> Hashes:
    """Hash numbers; a missing value has a hash too."""
    raw = as_floats(series) + 0.0
    hashes: Hashes = pd.util.hash_array(np.where(np.isnan(raw), np.nan, raw))
    return hashes


def text_hashes(series: "pd.Series[Any]") -> Hashes:
    """Hash values as text, so that 1 and "1" are the same; a missing value has the hash 1."""
    codes, texts = coded(series)
    hashes: Hashes = pd.util.hash_array(np.array(texts, dtype=object), categorize=False)
    return np.append(hashes, np.uint64(1))[codes]
