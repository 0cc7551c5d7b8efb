"""Runs the engine as one process: reads a file, computes, writes JSON, and prints its seconds."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.engine.processes import METHODS
from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import Chunk, split_by_chunk
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import EVENT_TIME, SCORE, Method, Result
from driftline.engine.spec import ColumnSpec, Spec


def spec_of(names: list[str]) -> Spec:
    """Return a spec with every feature, all drift methods of NannyML and one chunk per day."""
    features = [name for name in names if name.startswith(("number", "category"))]
    kinds = {
        name: ColumnKind.CATEGORICAL if name.startswith("category") else ColumnKind.CONTINUOUS for name in features
    }
    return Spec(
        columns=tuple(ColumnSpec(name=name, kind=kinds[name]) for name in features),
        continuous_methods=tuple(map(Method, METHODS["continuous_methods"])),
        categorical_methods=tuple(map(Method, METHODS["categorical_methods"])),
    )


def read(path: str) -> pd.DataFrame:
    """Read the file, with texts as categories."""
    texts = [field.name for field in pq.read_schema(path) if field.name.startswith("category")]
    table = pq.read_table(path, read_dictionary=texts).rename_columns({"timestamp": EVENT_TIME, "score": SCORE})
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame


def _plain(result: Result) -> dict[str, object]:
    """Return a result as values for JSON and data frames."""
    return {
        "subject": result.subject,
        "kind": result.kind,
        "method": result.method,
        "value": result.value,
        "lower": result.bounds.lower,
        "upper": result.bounds.upper,
        "sampling_error": result.sampling_error,
        "state": result.state,
        "reason": result.reason,
    }


def main() -> None:
    """Run once with the arguments `FILE REFERENCE_UNTIL OUT`."""
    path, until, out = sys.argv[1:]
    began = time.perf_counter()
    rows = read(path)
    cut = int(rows[EVENT_TIME].searchsorted(pd.Timestamp(until)))
    have = time.perf_counter()
    spec = spec_of([str(name) for name in rows])

    def computed(part: tuple[Chunk, pd.DataFrame]) -> dict[str, object]:
        chunk, chunk_rows = part
        results = evaluate_chunk(fitted, spec, chunk_rows, chunk)
        return {"start": chunk.start.isoformat(), "results": [_plain(result) for result in results]}

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        fitted = fit_reference(rows[:cut], spec, mapper=threads.map)
        results = list(threads.map(computed, split_by_chunk(rows[cut:], spec.period, spec.zone)))
    Path(out).write_text(json.dumps(results), encoding="utf-8")
    ended = time.perf_counter()
    print(json.dumps({"read": have - began, "compute": ended - have}))


if __name__ == "__main__":
    main()
