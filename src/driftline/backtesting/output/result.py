"""What a backtest found: chunks with verdicts and results, and what had to be inferred. No I/O here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftline.backtesting.output.page import render
from driftline.backtesting.request.request import Inference
from driftline.engine.results import Result, State
from driftline.engine.spec import Spec
from driftline.engine.verdicts.findings import SEVERITY
from driftline.report.pages import ReportExtraMissing
from driftline.report.schema import BacktestOut, ChunkOut, InferenceOut, ReferenceOut, ResultOut, result_values
from driftline.report.view import ChunkView

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows that chunks are compared with: their number, their first and last event, and the number of chunks."""

    rows: int
    since: datetime
    until: datetime
    chunks: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return self.to_schema().model_dump(mode="json", by_alias=True)

    def to_schema(self) -> ReferenceOut:
        """Return the JSON object."""
        return ReferenceOut(rows=self.rows, since=self.since, until=self.until, chunks=self.chunks)


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What a backtest found. `chunk` is how the rows were cut: a period, `rows:5000` or `count:20`."""

    model: str
    reference: Reference
    chunks: tuple[ChunkView, ...]
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
        """Return JSON values, as `docs/reference/backtest.schema.json` describes them; instants are ISO 8601 in UTC."""
        return self.to_schema().model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the same as JSON text; a missing value is null, never NaN."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"

    def to_schema(self) -> BacktestOut:
        """Return the JSON object."""
        return BacktestOut(
            model=self.model,
            problem=self.spec.problem,
            reference=self.reference.to_schema(),
            chunk=self.chunk,
            time_zone=self.spec.time_zone,
            inferred=tuple(InferenceOut(what=i.what, value=i.value, rule=i.rule) for i in self.inferred),
            chunks=tuple(ChunkOut.of(self.spec, chunk) for chunk in self.chunks),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each result, with the start, end, rows, labelled, status and verdict of its chunk."""
        rows = [_head(chunk) | _result_row(result) for chunk in self.chunks for result in chunk.results]
        return pd.DataFrame(rows, columns=[*_CHUNK_COLUMNS, *_RESULT_COLUMNS])

    def plot(self, subjects: Sequence[str] | None = None) -> "Figure":
        """Draw results with their bounds by chunk as a matplotlib figure.

        `subjects` are column names or `model`; by default the model and the columns whose drift lasted. Needs
        matplotlib (`pip install 'driftline[report]'`).
        """
        try:
            from driftline.report.plots import panel_figure  # noqa: PLC0415  (matplotlib is slow to import, and an extra)
        except ImportError as error:
            raise ReportExtraMissing from error
        return panel_figure(self.chunks, subjects)

    def to_html(self) -> str:
        """Return one self-contained page. Needs jinja2 (`pip install 'driftline[report]'`)."""
        return render(self)


_CHUNK_COLUMNS = ("start", "end", "chunk_rows", "labelled", "status", "verdict")
_RESULT_COLUMNS = tuple("result_rows" if name == "rows" else name for name in ResultOut.model_fields)


def _head(chunk: ChunkView) -> dict[str, Any]:
    values = (chunk.start, chunk.end, chunk.rows, chunk.labelled, chunk.status, chunk.verdict.state.value)
    return dict(zip(_CHUNK_COLUMNS, values, strict=True))


def _result_row(result: Result) -> dict[str, Any]:
    """Return a result's cells of the frame; enums become plain text."""
    values = result_values(result)
    texts = {"kind": result.kind.value, "state": result.state.value, "result_rows": values.pop("rows")}
    return values | texts
