"""What a backtest found: chunks with verdicts and results, and what had to be inferred. No I/O here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftline.backtesting.request.request import Inference
from driftline.engine.results import Result, State, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.findings import SEVERITY

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows that chunks are held against: how many, from the first to the last event (both included), in how many
    chunks.
    """

    rows: int
    since: datetime
    until: datetime
    chunks: int

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON has."""
        return {"rows": self.rows, "from": iso(self.since), "until": iso(self.until), "chunks": self.chunks}


@dataclass(frozen=True, slots=True)
class BacktestChunk:
    """One chunk [start, end) of the analysis; subjects of `results` are the columns' names in the data, or `model`."""

    start: datetime
    end: datetime
    rows: int
    labelled: int
    closed: bool
    verdict: Verdict
    results: tuple[Result, ...]

    @property
    def status(self) -> str:
        """`closed`, or `open` where the data ends before the chunk does."""
        return "closed" if self.closed else "open"

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON has."""
        return {
            "start": iso(self.start),
            "end": iso(self.end),
            "rows": self.rows,
            "labelled": self.labelled,
            "status": self.status,
            "verdict": self.verdict.state.value,
            "provisional": self.verdict.provisional,
            "reasons": list(self.verdict.reasons),
            "drifted": list(self.verdict.drifted),
            "results": [result_dict(result) for result in self.results],
        }


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What a backtest found. `chunk` is how the rows were cut: a period, `rows:5000` or `count:20`."""

    model: str
    reference: Reference
    chunks: tuple[BacktestChunk, ...]
    chunk: str
    inferred: tuple[Inference, ...]
    spec: Spec

    @property
    def worst(self) -> State:
        """The gravest verdict among the chunks."""
        order = (State.NO_DATA, *SEVERITY)
        return max((chunk.verdict.state for chunk in self.chunks), key=order.index)

    def reached(self, state: State) -> bool:
        """Say whether any chunk's verdict is `state` (warn or alert) or graver."""
        return SEVERITY.index(state) <= (SEVERITY.index(self.worst) if self.worst in SEVERITY else -1)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON has; instants are ISO 8601 in UTC."""
        return {
            "model": self.model,
            "problem": self.spec.problem.value,
            "reference": self.reference.to_dict(),
            "chunk": self.chunk,
            "time_zone": self.spec.time_zone,
            "inferred": [{"what": one.what, "value": one.value, "rule": one.rule} for one in self.inferred],
            "chunks": [chunk.to_dict() for chunk in self.chunks],
        }

    def to_json(self) -> str:
        """Return everything as JSON; a value that is not there is null, never NaN."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each result, with the start, end, rows, labelled, status and verdict of its chunk."""
        rows = [
            {**_head(chunk), **result_dict(result)} | {"result_rows": result.rows}
            for chunk in self.chunks
            for result in chunk.results
        ]
        return pd.DataFrame(rows, columns=[*_CHUNK_COLUMNS, *_RESULT_COLUMNS, "result_rows"])

    def plot(self, subjects: Sequence[str] | None = None) -> "Figure":
        """Draw results with their bounds by chunk as a matplotlib figure.

        `subjects` are column names or `model`; by default the model and what drifted. Needs matplotlib
        (`pip install 'driftline[report]'`).
        """
        from driftline.backtesting.output.plot import draw  # noqa: PLC0415  (matplotlib is slow to import, and an extra)

        return draw(self, subjects)

    def to_html(self) -> str:
        """Return one self-contained page. Needs jinja2 (`pip install 'driftline[report]'`)."""
        from driftline.backtesting.output.page import render  # noqa: PLC0415  (jinja2 is an extra)

        return render(self)


_CHUNK_COLUMNS = ("start", "end", "chunk_rows", "labelled", "status", "verdict")
_RESULT_COLUMNS = (
    "subject", "kind", "method", "value", "lower", "upper", "sampling_error", "state", "reason", "p_value",
    "segment",
)  # fmt: skip


def _head(chunk: BacktestChunk) -> Mapping[str, Any]:
    values = (chunk.start, chunk.end, chunk.rows, chunk.labelled, chunk.status, chunk.verdict.state.value)
    return dict(zip(_CHUNK_COLUMNS, values, strict=True))


def result_dict(result: Result) -> dict[str, Any]:
    """Return a result as values that JSON has."""
    found = {
        "subject": result.subject,
        "kind": result.kind.value,
        "method": str(result.method),
        "value": result.value,
        "lower": result.bounds.lower,
        "upper": result.bounds.upper,
        "sampling_error": result.sampling_error,
        "state": result.state.value,
        "reason": result.reason,
        "p_value": result.p_value,
    }
    return found if result.segment is None else found | {"segment": result.segment}


def iso(instant: datetime) -> str:
    """Write an instant in ISO 8601, in UTC, with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
