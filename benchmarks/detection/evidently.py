"""Evidently's alarms on a stream, with the default tests of its presets, run in a separate environment."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.detection.alarms import AlarmsByLevel, ChunkAlarm
from benchmarks.detection.stream import Stream
from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).with_name("evidently.txt")
REPORTS = Path(__file__).with_name("evidently_reports.py")
ENVIRONMENT = ROOT / "build" / "evidently"
PYTHON = ENVIRONMENT / "bin" / "python"
INSTALLED = ENVIRONMENT / ".installed"
UV = ROOT / "build" / "uv" / "bin" / "uv"
CALM_CHUNKS = 10
"""How many chunks of a stream without drift are evaluated, because a report takes seconds."""


def evidently(streams: Sequence[Stream]) -> list[AlarmsByLevel]:
    """Return alarms that are failed tests of performance, and alarms that are any failed test, drift included.

    A chunk is judged by itself, so those before a drift are left out, and those after the first alarm of performance.
    """
    with TemporaryDirectory() as folder:
        for number, stream in enumerate(streams):
            _write(stream, Path(folder), number)
        command = [str(PYTHON), "-P", "-W", "ignore", str(REPORTS), folder]  # -P: this file has the library's name
        completed = subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1"}, stdout=subprocess.PIPE, check=True)
    return [_by_level(stream, chunks) for stream, chunks in zip(streams, json.loads(completed.stdout), strict=True)]


def install() -> None:
    """Create Evidently's environment of pinned packages (715 MB) unless it exists; only one process does."""
    if INSTALLED.exists():
        return
    subprocess.run([str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)], check=True)
    native = {"UV_NATIVE_TLS": os.environ.get("UV_NATIVE_TLS", "1")}
    command = [str(UV), "pip", "install", "--quiet", "--python", str(PYTHON), "--requirement", str(PINNED)]
    subprocess.run(command, env={**os.environ, **native}, check=True)
    INSTALLED.touch()


def _write(stream: Stream, folder: Path, number: int) -> None:
    """Write the reference, the chunks to evaluate, and the description of the columns."""
    spec = stream.spec
    columns = [*spec.features, SCORE, PREDICTION, LABEL]
    chunks = [rows for _, rows in split_by_chunk(stream.analysis, spec.period, spec.zone)][stream.truth.lead :]
    chunks = chunks if any(stream.truth.drifts) else chunks[:CALM_CHUNKS]
    numbered = pd.concat([rows[columns].assign(chunk=place) for place, rows in enumerate(chunks)])
    if number == 0:
        stream.reference[columns].to_parquet(folder / "reference.parquet")
        (folder / "columns.json").write_text(json.dumps(_columns(spec)), encoding="utf-8")
    numbered.to_parquet(folder / f"{number:03}.parquet")


def _columns(spec: Spec) -> dict[str, list[str]]:
    continuous = [column.name for column in spec.columns if column.kind is ColumnKind.CONTINUOUS]
    categorical = [column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL]
    return {"continuous": [*continuous, SCORE], "categorical": [*categorical, PREDICTION, LABEL]}


def _by_level(stream: Stream, chunks: Sequence[dict[str, list[str]]]) -> AlarmsByLevel:
    """Return alarms from what failed in each chunk: metrics of performance and columns."""
    lead = [ChunkAlarm(False)] * stream.truth.lead
    return {
        "Evidently: performance": [*lead, *(ChunkAlarm(bool(chunk["metrics"])) for chunk in chunks)],
        "Evidently: any test": [
            *lead,
            *(ChunkAlarm(bool(chunk["metrics"] or chunk["columns"]), frozenset(chunk["columns"])) for chunk in chunks),
        ],
    }
