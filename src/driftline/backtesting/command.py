"""The command `driftline backtest`: reads options, writes files, and returns an exit status."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

FILE = Annotated[
    Path, typer.Argument(help="CSV (.csv, .csv.gz), Parquet (.parquet, .pq) or Arrow.", show_default=False)
]
TIMESTAMP = Annotated[str, typer.Option(help="Column with the time of each prediction.")]
LABEL = Annotated[str | None, typer.Option(help="Column with the true outcome; a missing value is not known yet.")]
PREDICTION = Annotated[str | None, typer.Option(help="Column with the model's prediction.")]
SCORE = Annotated[
    list[str] | None,
    typer.Option(help="Column with the probability of class 1; with several classes CLASS=COLUMN, once for each."),
]
ID = Annotated[str | None, typer.Option(help="Column with the id of each prediction (default: the row's number).")]
FEATURES = Annotated[
    str | None, typer.Option(help="Features, separated by commas as in CSV (default: every other column).")
]
CATEGORICAL = Annotated[str | None, typer.Option(help="Comma-separated numeric columns to treat as categorical.")]
UNTIL = Annotated[
    str | None, typer.Option(help="End of the reference: the first instant after it, ISO 8601.", show_default=False)
]
CHUNK = Annotated[str | None, typer.Option(help="1h, 1d, 1w, 1mo, 1q, rows:5000 or count:20.")]
PROBLEM = Annotated[str | None, typer.Option(help="binary, multiclass or regression.")]
POSITIVE = Annotated[str | None, typer.Option(help="Value of label and prediction that stands for class 1.")]
NA_VALUES = Annotated[
    str | None, typer.Option(help="Comma-separated further words for a missing value, such as unknown,-999.")
]
ALERT_BUDGET = Annotated[
    float | None,
    typer.Option(help="False alerts a year that a classifier with scores or a regression may have (default: 1)."),
]
ALERT_ON = Annotated[
    str | None, typer.Option(help="change, or harm: alert only on changes by which a metric gets worse.")
]
SPEC = Annotated[Path | None, typer.Option(help="YAML file with fields of the spec; options win over it.")]
NAME = Annotated[str | None, typer.Option(help="Name of the model (default: the file's name).")]
JSON = Annotated[Path | None, typer.Option("--json", help="Write all results to this file; - is standard output.")]
RESULTS = Annotated[
    Path | None,
    typer.Option("--results", help="Write a row for each number to this file (.jsonl, .csv or .parquet)."),
]
REPORT = Annotated[
    Path | None,
    typer.Option("--report", help="Write the report to this file (.html, .pdf, .xlsx, .csv or .json)."),
]
HTML = Annotated[Path | None, typer.Option("--html", help="Write a self-contained page to this file.")]

STDOUT = Path("-")
CLOSED_PIPE_STATUS = 141
"""The exit status where the reader of standard output has ended: that of shells for SIGPIPE."""
REDRAW_SECONDS = 0.1
"""How often the progress bar is redrawn."""


class FailOn(StrEnum):
    """The least severe verdict that sets the exit status to 1."""

    WARN = "warn"
    ALERT = "alert"


FAIL_ON = Annotated[FailOn | None, typer.Option(help="Exit with 1 if a chunk's verdict is this or more severe.")]


def backtest(
    file: FILE,
    timestamp: TIMESTAMP,
    label: LABEL = None,
    prediction: PREDICTION = None,
    score: SCORE = None,
    id: ID = None,
    features: FEATURES = None,
    categorical: CATEGORICAL = None,
    reference_until: UNTIL = None,
    chunk: CHUNK = None,
    problem: PROBLEM = None,
    positive: POSITIVE = None,
    na_values: NA_VALUES = None,
    alert_budget: ALERT_BUDGET = None,
    alert_on: ALERT_ON = None,
    spec: SPEC = None,
    name: NAME = None,
    json: JSON = None,
    html: HTML = None,
    results: RESULTS = None,
    report: REPORT = None,
    fail_on: FAIL_ON = None,
) -> None:
    """Evaluate past predictions chunk by chunk against a reference, as the monitor would have.

    Exits with 0; with 1 where --fail-on is reached; with 2 on bad input: every fault is listed, nothing is written.
    """
    from driftline.backtesting.execution.run import run  # noqa: PLC0415
    from driftline.backtesting.options import command_option, split_names  # noqa: PLC0415
    from driftline.backtesting.request.request import Request  # noqa: PLC0415  (the engine is slow to import)

    request = Request(
        timestamp=timestamp,
        label=label,
        prediction=prediction,
        id=id,
        reference_until=reference_until,
        chunk=chunk,
        problem=problem,
        positive=positive,
        na_values=split_names(na_values or "", ()),
        alert_budget=alert_budget,
        alert_on=alert_on,
        name=name,
        option=command_option,
    )
    names = {"features": features, "categorical": categorical}
    outputs = {"--json": json, "--html": html, "--results": results, "--report": report}
    source, resolved = prepare(file, request, score or [], names, spec, outputs)
    with show_progress() as progress:
        result = run(source, resolved, progress, forks=True)
    for inference in result.inferred:
        typer.echo(f"{'note' if inference.notable else 'inferred'} {inference}", err=True)
    _write_outputs(result, json, html, results, report)
    if fail_on and result.reached(_state(fail_on)):
        raise typer.Exit(1)


def prepare(
    file: Path,
    request: Any,
    scores: Sequence[str],
    names: Mapping[str, str | None],
    spec: Path | None,
    outputs: dict[str, Path | None],
) -> tuple[Any, Any]:
    """Open the file and check all options; return the source and the resolved request.

    Raises one InvalidInput that lists every fault: of the options, the spec, the file and the outputs.
    """
    from dataclasses import replace  # noqa: PLC0415

    from driftline.backtesting.input.sources.open_source import open_source  # noqa: PLC0415
    from driftline.backtesting.options import split_names  # noqa: PLC0415
    from driftline.backtesting.request.faults import Faults  # noqa: PLC0415
    from driftline.backtesting.request.names import split_score  # noqa: PLC0415
    from driftline.backtesting.request.resolved import read_request  # noqa: PLC0415
    from driftline.output_files import output_faults  # noqa: PLC0415
    from driftline.report.document.formats import FORMATS  # noqa: PLC0415
    from driftline.report.document.tables import format_fault  # noqa: PLC0415
    from driftline.spec_input import read_spec  # noqa: PLC0415

    paths = {option: path for option, path in outputs.items() if path is not None and path != STDOUT}
    inputs = {"the input file": file} | ({"the file of --spec": spec} if spec else {})
    faults = Faults(list(output_faults(paths, inputs)))
    faults.messages += [
        f"{option} cannot be standard output, only --json can; name a file"
        for option in ("--html", "--results", "--report")
        if outputs.get(option) == STDOUT
    ]
    results = paths.get("--results")
    if results is not None and (fault := format_fault(results)):
        faults.messages.append(f"--results {results} {fault}")
    report = paths.get("--report")
    if report is not None and report.suffix.lower().lstrip(".") not in FORMATS:
        faults.messages.append(f"--report {report} has no ending that names a format; use .{', .'.join(FORMATS)}")
    if spec is not None:
        request = replace(request, spec=faults.collect(lambda: read_spec(spec)) or {})
    source = faults.collect(lambda: open_source(_require_utf8_name(file), request.na_values))
    columns = source.columns if source else None
    listed = {role: None if text is None else split_names(text, columns or ()) for role, text in names.items()}
    request = replace(request, **listed, scores=tuple(split_score(text, columns or ()) for text in scores))
    resolved = faults.collect(lambda: read_request(request, columns))
    faults.raise_any()
    return source, resolved


def _require_utf8_name(file: Path) -> Path:
    """Return the path; raise InvalidInput for a path that is not UTF-8, which Arrow does not accept."""
    from driftline.errors import InvalidInput  # noqa: PLC0415

    try:
        str(file).encode("utf-8")
    except UnicodeEncodeError:
        msg = f"the name of the file, {str(file)!a}, is not UTF-8; rename the file"
        raise InvalidInput(msg) from None
    return file


@contextmanager
def show_progress() -> Iterator[Callable[[str, int], None]]:
    """Show the progress on standard error if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda step, rows: None
        return
    from rich.console import Console  # noqa: PLC0415  (only for a terminal)
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
    )
    # It redraws only when it advances: a thread that redraws might hold a lock while the process forks.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        tasks: dict[str, Any] = {}
        drawn = -inf

        def advance(step: str, rows: int) -> None:
            nonlocal drawn
            new = step not in tasks
            if new:
                tasks[step] = bar.add_task(step, total=None)
            bar.advance(tasks[step], rows)
            if new or bar.get_time() - drawn >= REDRAW_SECONDS:
                drawn = bar.get_time()
                bar.refresh()

        yield advance


def _write_outputs(
    result: Any, json: Path | None, html: Path | None, results: Path | None, report: Path | None
) -> None:
    """Write the files, all or none, and print the verdicts on standard output."""
    from driftline.output_files import Content, write  # noqa: PLC0415
    from driftline.report.document.formats import write_report  # noqa: PLC0415
    from driftline.report.document.tables import write_table  # noqa: PLC0415

    def write_json(path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(result.json_parts())

    contents: dict[Path, Content] = {}
    if json is not None and json != STDOUT:
        contents[json] = write_json
    if html is not None:
        contents[html] = result.to_html()
    if results is not None:
        contents[results] = lambda path: write_table(result.chunks, path, results.suffix)
    if report is not None:
        contents[report] = lambda path: write_report(result.content, path, report.suffix)
    write(contents)
    _print(result.json_parts() if json == STDOUT else (f"{line}\n" for line in table(result)))


def _print(parts: Iterable[str]) -> None:
    """Write texts to standard output; raise InvalidInput if that fails, and exit silently if the pipe is closed."""
    from driftline.errors import InvalidInput  # noqa: PLC0415

    try:
        for part in parts:
            typer.echo(part, nl=False)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer goes nowhere
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(CLOSED_PIPE_STATUS) from error
        msg = f"cannot write standard output: {error.strerror}; free some space, or name a file with --json"
        raise InvalidInput(msg) from error


def table(result: Any) -> Iterator[str]:
    """Yield a line for each chunk: start, rows, share of labels, verdict, and the most severe reason."""
    reference = result.reference
    yield f"{result.model}: reference of {reference.rows:,} rows in {reference.chunks} chunks"
    yield from reference.visible_lines
    for chunk in result.chunks:
        labels = f"{int(100 * chunk.labelled / chunk.rows)} %" if chunk.rows else "-"
        reason = chunk.verdict.reasons[0] if chunk.verdict.reasons else ""
        start = chunk.start.strftime("%Y-%m-%d %H:%M")
        yield f"{start}  {chunk.rows:>9,} rows  {labels:>5} labelled  {chunk.verdict.state:<14}  {reason}"


def _state(fail_on: FailOn) -> Any:
    from driftline.engine.results import State  # noqa: PLC0415

    return State(fail_on.value)
