"""Runs a backtest: reads the source, fits the reference, evaluates the chunks, returns the result."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.input.split import Progress, Split, split
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.chunking import Cut
from driftline.backtesting.request.inference.layout_inference import infer_layout
from driftline.backtesting.request.proposal import propose_chunk, propose_longer, propose_until
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.frames.stray_values import StrayValues
from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.report.view import ChunkView

if TYPE_CHECKING:
    from driftline.backtesting.execution.evaluation import Evaluate


def run(
    source: TableSource, request: ResolvedRequest, progress: Progress = lambda step, rows: None, *, forks: bool = False
) -> BacktestResult:
    """Evaluate the rows of `source` chunk by chunk.

    `request` must have been checked against the source's columns. `forks` declares that this process runs nothing else
    and may be forked to use all cores. Raises InvalidInput for rows that do not fit the request.
    """
    if request.until is None:
        raise propose_until(source, request)
    with ThreadPoolExecutor(1) as pool:  # importing the engine takes as long as reading a large file
        evaluate = pool.submit(_import_evaluate)
        rows = split(source, request, request.until, progress)
    cut, inferred = propose_chunk(request, rows.reference, len(rows.times))
    layout = infer_layout(request, rows.reference, _spec_fields(request.fields, cut))
    try:
        reference, chunks, strays = evaluate.result()(rows, cut, layout, progress, forks=forks)
    except InvalidInput as error:
        details = tuple(map(layout.rename_in_text, error.details))
        raise InvalidInput(layout.rename_in_text(error.message), details=details) from error
    return BacktestResult(
        model=_printable(request.name or source.name),
        reference=reference,
        chunks=chunks,
        chunk=cut.text,
        inferred=(
            *source.notes,
            *inferred,
            *layout.inferred,
            *rows.repeats.notes(request.option),
            *_stray_notes(strays, request),
            *_insufficiency(request, layout.spec, cut, rows, chunks),
        ),
        spec=layout.data_spec,
    )


def _insufficiency(
    request: ResolvedRequest, spec: Spec, cut: Cut, rows: Split, chunks: Sequence[ChunkView]
) -> Iterator[Inference]:
    """Yield a note where most of the chunks that have rows are insufficient."""
    states = [chunk.verdict.state for chunk in chunks if chunk.rows]
    insufficient = states.count(State.INSUFFICIENT)
    if 2 * insufficient > len(states):
        yield propose_longer(request, spec, cut, rows, insufficient)


def _stray_notes(strays: Mapping[str, StrayValues], request: ResolvedRequest) -> Iterator[Inference]:
    """Yield a note for each column with values that count as missing because they are not numbers."""
    for name, values in strays.items():
        cure = request.option("categorical", [name])
        count = "it counts" if values.count == 1 else "they count"
        rule = f"{count} as missing; clean it, or pass {cure}"
        yield Inference("not a number", f"column {name!r} has {values}", rule, notable=True)


def _import_evaluate() -> "Evaluate":
    from driftline.backtesting.execution.evaluation import evaluate  # noqa: PLC0415

    return evaluate


def _printable(name: str) -> str:
    """Return a name that UTF-8 can encode: bytes of a file's name that are not text become a question mark."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _spec_fields(fields: Any, cut: Cut) -> dict[str, Any]:
    """Return the spec's fields, with the period of the chunks if they are periods."""
    without_period = {name: value for name, value in fields.items() if name != "period"}
    return without_period | ({"period": cut.period} if cut.period else {})
