"""The result of a backtest: chunks with results and verdicts, and what was inferred. No I/O here."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.engine.verdicts.findings import STATES_BY_SEVERITY
from driftline.errors import InvalidInput
from driftline.notebook import html_table
from driftline.output_files import write
from driftline.report.document.content import ReferenceSummary, ReportContent
from driftline.report.document.page import render
from driftline.report.document.tables import format_fault, to_frame, write_table
from driftline.report.pages import ReportExtraMissing
from driftline.report.view import CHUNK_COLUMNS, ChunkView

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, repr=False)
class BacktestResult:
    """The chunks of a backtest with their verdicts and results, and what was inferred.

    `chunk` is the cut of the rows: a period, `rows:5000` or `count:20`.

    >>> import driftline as dl
    >>> result = dl.backtest(
    ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score", reference_until="2013-04-29",
    ...     chunk="1w", features=["origin", "distance"],
    ... )
    >>> print(result.worst, len(result.chunks), result.chunks[8].start.date())
    warn 36 2013-06-24
    >>> result.chunks[8].verdict.reasons[0]
    'Accuracy 0.522 is below its warning bound 0.537.'
    >>> result.to_frame().columns[:4].to_list()
    ['start', 'end', 'chunk_rows', 'labelled']
    """

    model: str
    reference: ReferenceSummary
    chunks: tuple[ChunkView, ...]
    chunk: str
    inferred: tuple[Inference, ...]
    spec: Spec

    def __repr__(self) -> str:
        notable = [chunk for chunk in self.chunks if chunk.verdict.state is not State.OK]
        notes = [f"  note: {note}" for note in self.notes]
        summaries = [f"  {chunk.summary}" for chunk in notable[:_REPR_CHUNKS]]
        lines = [f"BacktestResult of {_title(self)}", *notes, *summaries]
        if len(notable) > _REPR_CHUNKS:
            lines.append(f"  and {len(notable) - _REPR_CHUNKS} more that are not ok")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table with a row for each chunk, as notebooks show it."""
        more = len(self.chunks) - _HTML_CHUNKS
        note = f"<p>and {more:,} more chunks in <code>.chunks</code></p>" if more > 0 else ""
        rows = (chunk.cells for chunk in self.chunks[:_HTML_CHUNKS])
        return html_table(_title(self), CHUNK_COLUMNS, rows, [f"Note: {text}" for text in self.notes]) + note

    @property
    def notes(self) -> tuple[str, ...]:
        """The notable inferences, such as a score that is not a probability, as texts; read them before the results."""
        return tuple(str(item) for item in self.inferred if item.notable)

    @property
    def worst(self) -> State:
        """The most severe state among the chunks' verdicts.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> result.worst
        <State.WARN: 'warn'>
        """
        order = (State.NO_DATA, *STATES_BY_SEVERITY)
        return max((chunk.verdict.state for chunk in self.chunks), key=order.index)

    def reached(self, state: State) -> bool:
        """Return whether any chunk's verdict is `state` (warn or alert) or more severe.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> result.reached(dl.State.WARN), result.reached(dl.State.ALERT)
        (True, False)
        """
        return STATES_BY_SEVERITY.index(state) <= (
            STATES_BY_SEVERITY.index(self.worst) if self.worst in STATES_BY_SEVERITY else -1
        )

    @property
    def content(self) -> ReportContent:
        """The content of the report about this backtest."""
        return ReportContent(
            model=self.model,
            kind="backtest",
            spec=self.spec,
            cut=self.chunk,
            reference=self.reference,
            chunks=self.chunks,
            notes=self.notes,
            inferred=self.inferred,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, as `docs/reference/backtest.schema.json` describes them; instants are ISO 8601 in UTC.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> values = result.to_dict()
        >>> values["problem"], values["chunks"][0]["start"]
        ('binary', '2013-04-29T00:00:00Z')
        """
        return self.content.to_dict()

    def to_json(self) -> str:
        """Return the values of `to_dict` as JSON text; a missing value is null, never NaN.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> import json
        >>> json.loads(result.to_json()) == result.to_dict()
        True
        """
        return "".join(self.json_parts())

    def json_parts(self) -> Iterator[str]:
        """Yield the text of `to_json` chunk by chunk, since with very many chunks it does not fit in memory.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> "".join(result.json_parts()) == result.to_json()
        True
        """
        return self.content.json_parts()

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each result, with the start, end, rows, labelled, status and verdict of its chunk.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> result.to_frame().loc[0, ["status", "subject", "method"]].to_list()
        ['closed', 'model', 'roc_auc']
        """
        return to_frame(self.chunks)

    def write_results(self, path: str | PathLike[str]) -> None:
        """Write the rows of `to_frame` to a file, in the format of its ending: `.jsonl`, `.csv` or `.parquet`.

        The file is replaced atomically. Raises InvalidInput for another ending, and for a path that cannot be written.

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.write_results(Path(folder) / "results.csv")
        ...     print(len(pd.read_csv(Path(folder) / "results.csv")) == len(result.to_frame()))
        True
        """
        target = Path(path)
        fault = format_fault(target)
        if fault:
            msg = f"{target} {fault}"
            raise InvalidInput(msg)
        write({target: lambda temporary: write_table(self.chunks, temporary, target.suffix)})

    def plot(self, subjects: str | Sequence[str] | None = None) -> "Figure":
        """Draw results with their bounds by chunk as a matplotlib figure.

        `subjects` are column names or `model`, or one of them; by default the model and the columns whose drift lasted.
        Needs matplotlib (`pip install 'driftline[report]'`).

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> type(result.plot("model")).__name__
        'Figure'
        """
        try:
            from driftline.report.plots import panel_figure  # noqa: PLC0415  (matplotlib is slow to import, and an extra)
        except ImportError as error:
            raise ReportExtraMissing from error
        return panel_figure(self.chunks, subjects)

    def to_html(self) -> str:
        """Return one self-contained page. Needs jinja2 (`pip install 'driftline[report]'`).

        >>> import driftline as dl
        >>> result = dl.backtest(
        ...     "docs/flights.csv.gz", timestamp="departure", label="late", score="score",
        ...     reference_until="2013-04-29", chunk="1w", features=["distance"],
        ... )
        >>> result.to_html().startswith("<!doctype html>")
        True
        """
        return render(self.content)


_REPR_CHUNKS = 5
"""How many chunks the repr lists at most."""
_HTML_CHUNKS = 100
"""How many chunks the table for notebooks lists at most."""


def _title(result: BacktestResult) -> str:
    reference, counts = result.reference, Counter(chunk.verdict.state.value for chunk in result.chunks)
    verdicts = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    against = f"against a reference of {reference.rows:,} rows in {reference.chunks:,} chunks"
    return f"{result.model}: {len(result.chunks):,} chunks ({result.chunk}; {verdicts}) {against}"
