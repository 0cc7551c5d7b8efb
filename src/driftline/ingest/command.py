"""The command `driftline ingest`: files in, rows of a model out, with progress."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

MODEL = Annotated[str, typer.Argument(help="Name of the registered model.", show_default=False)]
FILES = Annotated[
    list[Path],
    typer.Argument(help="CSV, Parquet, Arrow or JSON lines (.jsonl, .ndjson).", show_default=False),
]
LABELS = Annotated[bool, typer.Option("--labels", help="The files hold labels.")]
CORRECTIONS = Annotated[bool, typer.Option("--corrections", help="The files hold corrections of stored predictions.")]
VERSION = Annotated[int | None, typer.Option(help="Version of the rows (default: the newest).", min=1)]
NA_VALUES = Annotated[
    str | None, typer.Option(help="Comma-separated further words for a missing value, such as unknown,-999.")
]


def ingest(
    model: MODEL,
    files: FILES,
    labels: LABELS = False,
    corrections: CORRECTIONS = False,
    version: VERSION = None,
    na_values: NA_VALUES = None,
) -> None:
    """Store predictions, labels or corrections of files in the monitor's database; again, it changes nothing.

    Exits with 2 on bad input: the faults are listed, and the rows before them stay stored.
    """
    from driftline.backtesting.options import command_option, split_names  # noqa: PLC0415
    from driftline.clock import utc_now  # noqa: PLC0415  (only this command needs a database)
    from driftline.errors import InvalidInput  # noqa: PLC0415
    from driftline.ingest.files import contents_of  # noqa: PLC0415
    from driftline.ingest.ingestion import REFUSALS, Ingestion, Sent  # noqa: PLC0415
    from driftline.settings import DatabaseSettings  # noqa: PLC0415
    from driftline.store.database import make_engine  # noqa: PLC0415

    if labels and corrections:
        raise InvalidInput("A file holds either labels or corrections; pass one of --labels and --corrections.")
    words = split_names(na_values or "", ())
    ingestion = Ingestion(make_engine(DatabaseSettings()), utc_now)
    layout = ingestion.targets.of(model, version).flat.with_words(words, command_option)
    store = ingestion.labels if labels else ingestion.corrections if corrections else ingestion.predictions
    for file in files:
        counts = dict.fromkeys(("rows", "new", "same", "changed"), 0)
        for content in contents_of(file, layout, labels=labels):
            if content.rows_before == 0:
                counts = dict.fromkeys(counts, 0)
            try:
                receipt = store(model, Sent(content, None, version, words, "driftline ingest", command_option))
            except REFUSALS as error:
                stored = f"{counts['rows']:,} rows before them are stored"
                raise type(error)(f"{file}: {error.message} ({stored})", details=error.details) from error
            counts = {name: number + getattr(receipt, name) for name, number in counts.items()}
            _show_progress(file, counts["rows"])
        typer.echo(f"{file}: {_summary(counts.items())}")


def _show_progress(file: Path, rows: int) -> None:
    """Overwrite the line of a terminal; write nothing elsewhere."""
    if sys.stderr.isatty():
        typer.echo(f"\r{file}: {rows:,} rows\r", err=True, nl=False)


def _summary(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts)
