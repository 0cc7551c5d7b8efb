"""What a backtest found: chunks with verdicts and results, and what had to be inferred. No I/O here."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
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


@dataclass(frozen=True, slots=True, repr=False)
class BacktestChunk:
    """One chunk [start, end) of the analysis; subjects of `results` are the columns' names in the data, or `model`."""

    start: datetime
    end: datetime
    rows: int
    labelled: int
    closed: bool
    verdict: Verdict
    results: tuple[Result, ...]

    def __repr__(self) -> str:
        return f"BacktestChunk({_summary(self)}; {len(self.results)} results)"

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


@dataclass(frozen=True, slots=True, repr=False)
class BacktestResult:
    """The chunks of a backtest with their verdicts and results, and what was inferred.

    `chunk` is how the rows were cut: a period, `rows:5000` or `count:20`.

    >>> import driftline as dl
    >>> result = dl.backtest(
    ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score", reference_until="2013-04-29",
    ...     chunk="1w", features=["origin", "distance"],
    ... )
    >>> print(result.worst, len(result.chunks), result.chunks[8].start.date())
    warn 36 2013-06-24
    >>> result.chunks[8].verdict.reasons[0]
    'Accuracy 0.522 is below its bound 0.539.'
    >>> result.to_frame().columns[:4].to_list()
    ['start', 'end', 'chunk_rows', 'labelled']
    """

    model: str
    reference: Reference
    chunks: tuple[BacktestChunk, ...]
    chunk: str
    inferred: tuple[Inference, ...]
    spec: Spec

    def __repr__(self) -> str:
        notable = [chunk for chunk in self.chunks if chunk.verdict.state is not State.OK]
        lines = [f"BacktestResult of {_title(self)}", *(f"  {_summary(chunk)}" for chunk in notable[:_REPR_CHUNKS])]
        if len(notable) > _REPR_CHUNKS:
            lines.append(f"  and {len(notable) - _REPR_CHUNKS} more that are not ok")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table with a row for each chunk, as notebooks show it."""
        head = "".join(f"<th>{name}</th>" for name in ("chunk", "rows", "labelled", "verdict", "reason"))
        rows = "".join(map(_html_row, self.chunks[:_HTML_CHUNKS]))
        more = len(self.chunks) - _HTML_CHUNKS
        note = f"<p>and {more:,} more chunks in <code>.chunks</code></p>" if more > 0 else ""
        return f"<p>{escape(_title(self))}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"

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


_REPR_CHUNKS = 5
"""How many chunks the repr lists at most."""
_HTML_CHUNKS = 100
"""How many chunks the table for notebooks lists at most."""


def _title(result: BacktestResult) -> str:
    reference, counts = result.reference, Counter(chunk.verdict.state.value for chunk in result.chunks)
    verdicts = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    against = f"against a reference of {reference.rows:,} rows in {reference.chunks:,} chunks"
    return f"{result.model}: {len(result.chunks):,} chunks ({result.chunk}; {verdicts}) {against}"


def _summary(chunk: BacktestChunk) -> str:
    reason = f": {chunk.verdict.reasons[0]}" if chunk.verdict.reasons else ""
    return f"{chunk.start:%Y-%m-%d %H:%M} {chunk.rows:,} rows {chunk.verdict.state}{reason}"


def _html_row(chunk: BacktestChunk) -> str:
    labelled = f"{int(100 * chunk.labelled / chunk.rows)} %" if chunk.rows else "-"
    reason = chunk.verdict.reasons[0] if chunk.verdict.reasons else ""
    start = f"{chunk.start:%Y-%m-%d %H:%M}"
    cells = (start, f"{chunk.rows:,}", labelled, str(chunk.verdict.state), reason)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


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
