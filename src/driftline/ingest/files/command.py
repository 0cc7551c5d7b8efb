"""The command `driftline ingest`: files in, rows of a model out, with progress."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from driftline.ingest.files.file_ingestion import FileCounts, FileIngestion

MODEL = Annotated[str, typer.Argument(help="Name of the registered model.", show_default=False)]
FILES = Annotated[
    list[Path] | None,
    typer.Argument(help="CSV, Parquet, Arrow or JSON lines (.jsonl, .ndjson).", show_default=False),
]
LABELS = Annotated[bool, typer.Option("--labels", help="The files hold labels.")]
CORRECTIONS = Annotated[bool, typer.Option("--corrections", help="The files hold corrections of stored predictions.")]
VERSION = Annotated[int | None, typer.Option(help="Version of the rows (default: the newest).", min=1)]
NA_VALUES = Annotated[
    str | None, typer.Option(help="Comma-separated further words for a missing value, such as unknown,-999.")
]
WATCH = Annotated[
    str | None,
    typer.Option(help="Ingest the files that appear in this folder, gs://bucket/prefix or s3://bucket/prefix."),
]
EVERY = Annotated[float, typer.Option(help="Seconds between two scans at the folder that is watched.", min=0.1)]
ONCE = Annotated[bool, typer.Option("--once", help="Ingest the files that the watched folder has now, and end.")]


def ingest(
    model: MODEL,
    files: FILES = None,
    labels: LABELS = False,
    corrections: CORRECTIONS = False,
    version: VERSION = None,
    na_values: NA_VALUES = None,
    watch: WATCH = None,
    every: EVERY = 10.0,
    once: ONCE = False,
) -> None:
    """Store predictions, labels or corrections of files in the monitor's database; again, it changes nothing.

    Exits with 2 on bad input: the faults are listed, and the rows before them stay stored.
    """
    from driftline.backtesting.options import split_names  # noqa: PLC0415
    from driftline.clock import utc_now  # noqa: PLC0415  (only this command needs a database)
    from driftline.errors import InvalidInput  # noqa: PLC0415
    from driftline.ingest.files.file_ingestion import FileIngestion  # noqa: PLC0415
    from driftline.ingest.ingestion import Ingestion  # noqa: PLC0415
    from driftline.lineage.start import lineage_recorded  # noqa: PLC0415
    from driftline.settings import DatabaseSettings  # noqa: PLC0415
    from driftline.store.database import make_engine  # noqa: PLC0415
    from driftline.store.ledger import BatchKind  # noqa: PLC0415

    if labels and corrections:
        raise InvalidInput("A file holds either labels or corrections; pass one of --labels and --corrections.")
    if bool(files) is (watch is not None):
        raise InvalidInput("Name either files, or with --watch a folder; nothing was read.")
    if once and watch is None:
        raise InvalidInput("--once ends watching a folder; pass it with --watch.")
    kind = BatchKind.LABELS if labels else BatchKind.CORRECTION if corrections else BatchKind.PREDICTIONS
    ingestion = Ingestion(make_engine(DatabaseSettings()), utc_now)
    ingested = FileIngestion(ingestion, model, kind, version, split_names(na_values or "", ()))
    with lineage_recorded():
        if watch is not None:
            _watch(watch, ingested, every, once=once)
        for file in files or ():
            typer.echo(f"{file}: {ingested.store(file, partial(_show_progress, file))}")


def _watch(address: str, files: "FileIngestion", every: float, *, once: bool) -> None:
    """Watch a folder until a signal ends it, or ingest what it has now; then exit with 2 if a file was refused."""
    from driftline.ingest.files.watched_folder import WatchedFolder  # noqa: PLC0415
    from driftline.objects import open_store  # noqa: PLC0415
    from driftline.store import migrate  # noqa: PLC0415
    from driftline.worker import stop_on_signals  # noqa: PLC0415

    stop = stop_on_signals()
    migrate.require_current(files.ingestion.engine)
    folder = WatchedFolder(open_store(address), files, stop)
    if not once:
        folder.run(every)
        return
    scans = [folder.scan()]
    if scans[0].remaining:
        stop.wait(every)
        scans.append(folder.scan())
    stored, refused = sum(scan.stored for scan in scans), sum(scan.refused for scan in scans)
    typer.echo(f"{address}: {stored:,} files stored, {refused:,} refused, {scans[-1].remaining:,} left")
    if refused or scans[-1].remaining:
        raise SystemExit(2)


def _show_progress(file: Path, counts: "FileCounts") -> None:
    """Overwrite the line of a terminal; write nothing elsewhere."""
    if sys.stderr.isatty():
        typer.echo(f"\r{file}: {counts.rows:,} rows\r", err=True, nl=False)
