"""The beats that the ETL made, and their division: known ones train, later ones are unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from examples.ecg.record.etl import BEATS
from examples.ecg.record.features import FloatArray, features_of

KNOWN_SHARE = 0.6
"""The share of the record, from its beginning, that is known when the models are trained."""


@dataclass(frozen=True)
class Beats:
    """Beats in the order of time: symbols, intervals in seconds, their ratios, and 187 values in mV of each."""

    symbols: "pd.Series[str]"
    intervals: FloatArray
    ratios: FloatArray
    samples: FloatArray

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def features(self) -> pd.DataFrame:
        """The features of all beats."""
        return features_of(self.samples, self.intervals, self.ratios)

    def take(self, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> "Beats":
        """Return some beats by their numbers."""
        symbols = self.symbols.iloc[numbers].reset_index(drop=True)
        return Beats(symbols, self.intervals[numbers], self.ratios[numbers], self.samples[numbers])


def read_beats(objects: str, options: Mapping[str, Any] | None = None) -> Beats:
    """Read the beats of an object store; by default its options are those of the environment."""
    files, root = fsspec.url_to_fs(objects, **(options or {}))
    with files.open(f"{root}/{BEATS}", "rb") as file:
        frame = pq.read_table(file).to_pandas()
    samples = np.stack(frame["samples"].to_list())
    return Beats(frame["symbol"], frame["rr"].to_numpy(), frame["rr_ratio"].to_numpy(), samples)


def split(beats: Beats) -> tuple[Beats, Beats]:
    """Return the known beats, and the unseen ones after them."""
    first_unseen = round(len(beats) * KNOWN_SHARE)
    return beats.take(np.arange(first_unseen)), beats.take(np.arange(first_unseen, len(beats)))
