"""Rows for the comparison: ten features, five of them categorical, a score, a prediction and a label."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

CONTINUOUS = tuple(f"number_{place}" for place in range(5))
CATEGORICAL = tuple(f"category_{place}" for place in range(5))
SIZES = (3, 5, 8, 12, 20)
"""The number of categories of each categorical feature."""
LARGE_SIZES = (150, 200, 300, 400, 500)
"""The same where texts are names of places, products or firms."""
START = pd.Timestamp("2026-01-01", tz="UTC")
BLOCK = 500_000
REFERENCE_DAYS = 50


def scored(rows: int, since: pd.Timestamp, days: int, seed: int, sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """Return rows in the order of time, over whole days; labels follow the score, 1 % of two features are missing.

    `sizes` are the numbers of categories of the categorical features.
    """
    rng = np.random.default_rng(seed)
    offsets = np.sort(rng.integers(0, days * 86_400_000_000, rows)).astype("timedelta64[us]")
    score = rng.beta(1, 5, rows)
    columns: dict[str, object] = {
        "timestamp": pd.DatetimeIndex(
            since.tz_localize(None).to_datetime64().astype("datetime64[us]") + offsets, tz="UTC"
        ),
        "id": np.arange(rows) + seed * 10_000_000,
    }
    for place, name in enumerate(CONTINUOUS):
        columns[name] = rng.normal(place, 1 + place, rows) + score * place
    for name, size in zip(CATEGORICAL, sizes, strict=True):
        shares = np.random.default_rng(size).dirichlet(np.full(size, 5.0))
        names = np.array([f"kind {number}" for number in range(size)], dtype=object)
        columns[name] = names[rng.choice(size, rows, p=shares)]
    columns["score"], columns["prediction"] = score, (score > 0.3).astype(np.int64)
    columns["label"] = (rng.random(rows) < score).astype(np.int64)
    frame = pd.DataFrame(columns)
    for name in (CONTINUOUS[0], CATEGORICAL[0]):
        frame[name] = frame[name].mask(rng.random(rows) < 0.01)
    return frame


def write(path: Path, reference: int, analysis: int, chunks: int, sizes: Sequence[int] = SIZES) -> str:
    """Write a Parquet file block by block: the days of the reference, then `chunks` days of the analysis.

    Gives the instant where the reference ends. Categories are written as plain text.
    """
    until = START + pd.Timedelta(days=REFERENCE_DAYS)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with pq.ParquetWriter(unfinished, _as_text(scored(1, START, 1, 0)).schema) as writer:
            for seed, (since, rows, days) in enumerate(_blocks(reference, analysis, chunks, until), start=1):
                writer.write_table(_as_text(scored(rows, since, days, seed, sizes)))
        unfinished.rename(path)
    return until.isoformat()


def _blocks(reference: int, analysis: int, chunks: int, until: pd.Timestamp) -> list[tuple[pd.Timestamp, int, int]]:
    """Split both windows into blocks of whole days of about 500,000 rows: start, rows and days of each."""
    blocks = []
    for since, rows, days in ((START, reference, REFERENCE_DAYS), (until, analysis, chunks)):
        count = min(days, max(1, rows // BLOCK))
        edges = np.linspace(0, days, count + 1).astype(int)
        shares = np.diff(np.linspace(0, rows, count + 1).astype(int))
        for first, last, share in zip(edges, edges[1:], shares, strict=False):
            blocks.append((since + pd.Timedelta(days=int(first)), int(share), int(last - first)))
    return blocks


def _as_text(frame: pd.DataFrame) -> pa.Table:
    kinds = pa.schema([(name, pa.string()) for name in CATEGORICAL])
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for field in kinds:
        place = table.schema.get_field_index(field.name)
        table = table.set_column(place, field, table.column(field.name).cast(pa.string()))
    return table
