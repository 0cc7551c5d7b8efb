"""A backtest from its source to its result: read, then let the engine fit, summarize and judge."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from driftline.backtesting.input.sources import Source
from driftline.backtesting.input.split import Progress, split
from driftline.backtesting.output.result import BacktestResult
from driftline.backtesting.request.chunking import Cut
from driftline.backtesting.request.layout import layout_of
from driftline.backtesting.request.proposal import propose_chunk, propose_until
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import read_request

if TYPE_CHECKING:
    from driftline.backtesting.execution.judging import Judgement


def run(
    source: Source, request: Request, progress: Progress = lambda doing, rows: None, *, forks: bool = False
) -> BacktestResult:
    """Judge what `source` holds as `request` asks; every fault that can be seen at once is in one InvalidInput.

    `forks` says that this process runs nothing else, and may be forked to use all cores.
    """
    asked = read_request(request, source.columns)
    if asked.until is None:
        raise propose_until(source, asked)
    with ThreadPoolExecutor(1) as aside:  # the engine takes as long to import as a large file to read
        judge = aside.submit(_engine)
        rows = split(source, asked, asked.until, progress)
    cut, told = propose_chunk(asked, rows.reference)
    layout = layout_of(asked, rows.reference, _settled(asked.fields, cut))
    reference, chunks = judge.result()(rows, cut, layout, progress, forks=forks)
    return BacktestResult(
        model=_printable(request.name or source.name),
        reference=reference,
        chunks=chunks,
        chunk=cut.text,
        inferred=(*told, *layout.inferred),
        spec=layout.spec,
    )


def _engine() -> "Judgement":
    from driftline.backtesting.execution.judging import judge  # noqa: PLC0415

    return judge


def _printable(name: str) -> str:
    """Return a name that UTF-8 can write: bytes that are no text, which a file's name may have, become a ?."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _settled(fields: Any, cut: Cut) -> dict[str, Any]:
    """Return the spec's fields with the period that rows are cut by, if they are."""
    others = {name: value for name, value in fields.items() if name != "period"}
    return others | ({"period": cut.period} if cut.period else {})
