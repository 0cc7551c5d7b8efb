"""Summaries as bytes: compressed, lossless, and safe to decode from any source. No I/O here.

Decoding creates objects of the classes listed here only. `FORMAT` changes with their names and fields; a summary of
another format is not read but computed again from its rows.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from driftline.engine.computation.fitted_methods import ColumnState, RowLevelSummary, SegmentSummary, Summary
from driftline.engine.drift.sketches.bin_counts import BinCounts
from driftline.engine.drift.sketches.distribution import GridCounts, Sample
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.drift.sketches.histogram import ChunkHistogram
from driftline.engine.multivariate.domain_classifier import ChunkRows
from driftline.engine.multivariate.pca import ReconstructionErrors
from driftline.engine.performance.binary.bounded import BoundedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.performance.regression.loss_summary import LossSum, LossSummary
from driftline.engine.performance.regression.residual_bins import ResidualSummary
from driftline.engine.quality.duplicates import DistinctRows
from driftline.engine.quality.freshness import NewestRow
from driftline.engine.quality.missing_values import MissingCounts
from driftline.engine.quality.out_of_range import OutsideCounts
from driftline.engine.quality.unseen_categories import UnseenCounts
from driftline.engine.statistics.methods import StatisticsSummary
from driftline.engine.statistics.ordered import Ordered
from driftline.engine.statistics.sums import Sums
from driftline.engine.sums.exact_sum import ExactSum
from driftline.errors import DriftlineError

_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        BinCounts,
        BinaryRows,
        ChunkHistogram,
        BoundedRows,
        ChunkRows,
        ColumnState,
        DistinctRows,
        ExactSum,
        Frequencies,
        GridCounts,
        LossSum,
        LossSummary,
        MissingCounts,
        MulticlassRows,
        NewestRow,
        Ordered,
        OutsideCounts,
        ReconstructionErrors,
        ResidualSummary,
        RowLevelSummary,
        Sample,
        SegmentSummary,
        StatisticsSummary,
        Summary,
        Sums,
        UnseenCounts,
    )
}
"""The classes that a summary may consist of, by name."""
_LAYOUT = {name: [field.name for field in fields(kind)] for name, kind in _CLASSES.items()}
_REVISION = 1
"""Increase it when the meaning of a field changes but its name does not."""
FORMAT = hashlib.sha256(json.dumps([_REVISION, _LAYOUT], sort_keys=True).encode()).hexdigest()[:12]
"""The identifier of the format; summaries of the same format can be decoded and merged."""
_CODEC = pa.Codec("zstd", compression_level=1)
_PLAIN = (bool, int, float, str)
_KINDS = frozenset("iufb")
"""The kinds of numpy types that arrays may have."""


class DamagedSummary(DriftlineError):
    """A stored summary cannot be decoded; delete its row in chunk_states, and the next poll computes it again."""


def encode(summary: Any) -> bytes:
    """Return a summary as bytes that `decode` reads: a description as JSON, then its arrays, compressed by zstd."""
    arrays: list[bytes] = []
    tree = json.dumps(_encoded(summary, arrays), separators=(",", ":")).encode()
    sizes = np.array([len(tree), *map(len, arrays)], dtype="<u8").tobytes()
    content = b"".join((len(arrays).to_bytes(8, "little"), sizes, tree, *arrays))
    return len(content).to_bytes(8, "little") + bytes(_CODEC.compress(content, asbytes=True))


def decode(data: bytes) -> Any:
    """Return the summary that `encode` serialized; raises DamagedSummary for other bytes."""
    try:
        content = memoryview(_CODEC.decompress(data[8:], int.from_bytes(data[:8], "little")))
        count = int.from_bytes(content[:8], "little")
        sizes = np.frombuffer(content, dtype="<u8", count=count + 1, offset=8)
        ends = [*accumulate(sizes.tolist(), initial=16 + 8 * count)]
        pieces = [content[start:end] for start, end in pairwise(ends)]
        return _decoded(json.loads(bytes(pieces[0])), pieces[1:])
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise DamagedSummary from error


def _encoded(value: Any, arrays: list[bytes]) -> Any:
    """Return a value as a JSON-compatible one; arrays and frames are appended to `arrays`."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray | pd.DataFrame):
        return _encoded_values(value, arrays)
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, Mapping):
        return {"map": [[key, _encoded(item, arrays)] for key, item in value.items()]}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    name = type(value).__name__
    return {"class": name, "fields": [_encoded(getattr(value, field), arrays) for field in _LAYOUT[name]]}


def _encoded_values(value: Any, arrays: list[bytes]) -> dict[str, Any]:
    """Append an array or a frame to `arrays`, and return its description."""
    if isinstance(value, pd.DataFrame):
        arrays.append(_frame_bytes(value))
        return {"frame": len(arrays) - 1}
    narrowed = _narrowed(value)
    arrays.append(np.ascontiguousarray(narrowed).tobytes())
    return {"array": len(arrays) - 1, "type": narrowed.dtype.str, "as": value.dtype.str, "shape": value.shape}


def _decoded(value: Any, arrays: list[memoryview]) -> Any:
    """Return the value that `_encoded` serialized."""
    match value:
        case {"array": number, "type": stored, "as": original, "shape": shape}:
            decoded: Any = _decoded_array(arrays[number], np.dtype(stored), np.dtype(original), shape)
        case {"frame": number}:
            with pa.ipc.open_stream(pa.py_buffer(arrays[number])) as reader:
                decoded = reader.read_pandas()
        case {"instant": instant}:
            decoded = datetime.fromisoformat(instant)
        case {"map": items}:
            decoded = {key: _decoded(item, arrays) for key, item in items}
        case {"set": items}:
            decoded = frozenset(tuple(item) for item in items)
        case {"class": name, "fields": parts}:
            decoded = _CLASSES[name](*(_decoded(part, arrays) for part in parts))
        case _:
            decoded = value
    return decoded


def _decoded_array(content: memoryview, stored: Any, original: Any, shape: list[int]) -> Any:
    """Return an array in its original type."""
    if stored.kind not in _KINDS or original.kind not in _KINDS:
        msg = f"arrays of {original} are not decoded"
        raise ValueError(msg)
    return np.frombuffer(content, dtype=stored).reshape(shape).astype(original, copy=stored != original)


def _narrowed(array: Any) -> Any:
    """Return whole numbers in the smallest type that holds them all; other arrays unchanged."""
    if array.dtype.kind not in "iu" or not array.size:
        return array
    least, most = int(array.min()), int(array.max())
    types = (np.dtype(f"{array.dtype.kind}{size}") for size in (1, 2, 4, 8))
    return array.astype(next(t for t in types if np.iinfo(t).min <= least and most <= np.iinfo(t).max), copy=False)


def _frame_bytes(frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
