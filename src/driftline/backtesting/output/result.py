"""The result of a backtest: chunks with results and verdicts, and what was inferred. No I/O here."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftline.backtesting.output.page import render
from driftline.backtesting.request.request import Inference
from driftline.engine.evidence.visible_change import VisibleChange
from driftline.engine.evidence.wording import describe_visible
from driftline.engine.results import Result, State
from driftline.engine.spec import Period, Spec
from driftline.engine.verdicts.findings import SEVERITY
from driftline.report.pages import ReportExtraMissing
from driftline.report.schema import ResultOut, chunk_values, result_values, utc_text
from driftline.report.view import ChunkView

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows that chunks are compared with: their number, their first and last event, and the number of chunks.

    `visible_changes` are the smallest changes that alerts find, `proposed_period` a longer one where chunks see too
    little; none where bounds alone alert.
    """

    rows: int
    since: datetime
    until: datetime
    chunks: int
    visible_changes: tuple[VisibleChange, ...] = ()
    proposed_period: Period | None = None

    @property
    def visible_lines(self) -> tuple[str, ...]:
        """What alerts find, in words."""
        return describe_visible(self.visible_changes, self.proposed_period)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        since, until = utc_text(self.since), utc_text(self.until)
        return {"rows": self.rows, "from": since, "until": until, "chunks": self.chunks}


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
    'Accuracy 0.522 is below its warning bound 0.539.'
    >>> result.to_frame().columns[:4].to_list()
    ['start', 'end', 'chunk_rows', 'labelled']
    """

    model: str
    reference: Reference
    chunks: tuple[ChunkView, ...]
    chunk: str
    inferred: tuple[Inference, ...]
    spec: Spec

    def __repr__(self) -> str:
        notable = [chunk for chunk in self.chunks if chunk.verdict.state is not State.OK]
        notes = [f"  note: {note}" for note in self.notes]
        summaries = [f"  {_summary(chunk)}" for chunk in notable[:_REPR_CHUNKS]]
        lines = [f"BacktestResult of {_title(self)}", *notes, *summaries]
        if len(notable) > _REPR_CHUNKS:
            lines.append(f"  and {len(notable) - _REPR_CHUNKS} more that are not ok")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table with a row for each chunk, as notebooks show it."""
        head = "".join(f"<th>{name}</th>" for name in ("chunk", "rows", "labelled", "verdict", "reason"))
        rows = "".join(map(_html_row, self.chunks[:_HTML_CHUNKS]))
        more = len(self.chunks) - _HTML_CHUNKS
        note = f"<p>and {more:,} more chunks in <code>.chunks</code></p>" if more > 0 else ""
        notes = "".join(f"<p>Note: {escape(text)}</p>" for text in self.notes)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{escape(_title(self))}</p>{notes}{table}{note}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What contradicts the expectations of the data, such as a score that is no probability; to be read first."""
        return tuple(str(item) for item in self.inferred if item.notable)

    @property
    def worst(self) -> State:
        """The gravest state among the chunks' verdicts."""
        order = (State.NO_DATA, *SEVERITY)
        return max((chunk.verdict.state for chunk in self.chunks), key=order.index)

    def reached(self, state: State) -> bool:
        """Return whether any chunk's verdict is `state` (warn or alert) or graver."""
        return SEVERITY.index(state) <= (SEVERITY.index(self.worst) if self.worst in SEVERITY else -1)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, as `docs/reference/backtest.schema.json` describes them; instants are ISO 8601 in UTC."""
        return {
            "model": self.model,
            "problem": self.spec.problem.value,
            "reference": self.reference.to_dict(),
            "chunk": self.chunk,
            "time_zone": self.spec.time_zone,
            "inferred": [{"what": item.what, "value": item.value, "rule": item.rule} for item in self.inferred],
            "notes": list(self.notes),
            "chunks": [
                {**chunk_values(self.spec, chunk), "results": list(map(result_values, chunk.results))}
                for chunk in self.chunks
            ],
        }

    def to_json(self) -> str:
        """Return the same as JSON text; a missing value is null, never NaN."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each result, with the start, end, rows, labelled, status and verdict of its chunk."""
        rows = [_head(chunk) | _result_row(result) for chunk in self.chunks for result in chunk.results]
        return pd.DataFrame(rows, columns=[*_CHUNK_COLUMNS, *_RESULT_COLUMNS])

    def plot(self, subjects: str | Sequence[str] | None = None) -> "Figure":
        """Draw results with their bounds by chunk as a matplotlib figure.

        `subjects` are column names or `model`, or one of them; by default the model and the columns whose drift lasted.
        Needs matplotlib (`pip install 'driftline[report]'`).
        """
        try:
            from driftline.report.plots import panel_figure  # noqa: PLC0415  (matplotlib is slow to import, and an extra)
        except ImportError as error:
            raise ReportExtraMissing from error
        return panel_figure(self.chunks, subjects)

    def to_html(self) -> str:
        """Return one self-contained page. Needs jinja2 (`pip install 'driftline[report]'`)."""
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


def _summary(chunk: ChunkView) -> str:
    reason = f": {chunk.verdict.reasons[0]}" if chunk.verdict.reasons else ""
    return f"{chunk.start:%Y-%m-%d %H:%M} {chunk.rows:,} rows {chunk.verdict.state}{reason}"


def _html_row(chunk: ChunkView) -> str:
    labelled = f"{int(100 * chunk.labelled / chunk.rows)} %" if chunk.rows else "-"
    reason = chunk.verdict.reasons[0] if chunk.verdict.reasons else ""
    start = f"{chunk.start:%Y-%m-%d %H:%M}"
    cells = (start, f"{chunk.rows:,}", labelled, str(chunk.verdict.state), reason)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


_CHUNK_COLUMNS = ("start", "end", "chunk_rows", "labelled", "status", "verdict")
_RESULT_COLUMNS = tuple("result_rows" if name == "rows" else name for name in ResultOut.model_fields)


def _head(chunk: ChunkView) -> dict[str, Any]:
    values = (chunk.start, chunk.end, chunk.rows, chunk.labelled, chunk.status, chunk.verdict.state.value)
    return dict(zip(_CHUNK_COLUMNS, values, strict=True))


def _result_row(result: Result) -> dict[str, Any]:
    values = result_values(result)
    return values | {"result_rows": values.pop("rows")}
