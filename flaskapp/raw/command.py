"""`flaskapp/DataFile/download_raw_data.py`: the composition root of the download; any failure is one message."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from driftline.clock import MAX_CLOCK_SKEW, utc_now
from driftline.errors import InvalidInput
from flaskapp.command import start
from flaskapp.history.loading import Progress as Told
from flaskapp.raw import google_object
from flaskapp.raw.download import Downloaded, download
from flaskapp.raw.file import FOLDER
from flaskapp.raw.source import NotConfigured, Source
from flaskapp.raw.stored_object import StoredObject
from flaskapp.settings import RawDataSettings

GOOGLE = "gs://"


def main(folder: Annotated[Path, typer.Option(help="where RawData.csv or RawData.csv.gz goes")] = FOLDER) -> None:
    """Download the raw data that the settings name, unless it is there already."""
    settings = RawDataSettings()
    done = download(source_of(settings), folder, utc_now() + MAX_CLOCK_SKEW, _bar, time.sleep)
    typer.echo(_summary(done))


def source_of(settings: RawDataSettings) -> Source:
    """Make the source that the settings name.

    Raises:
        NotConfigured: they name none. InvalidInput: the address is none. NoAccess: there are no credentials for it.
    """
    address = settings.address
    if address is None:
        raise NotConfigured
    if not address.startswith(GOOGLE):
        return StoredObject(address)
    bucket, _, name = address.removeprefix(GOOGLE).partition("/")
    if not (bucket and name):
        raise InvalidInput(f"{address} names no object: give gs://bucket/name.")
    client = google_object.make_client(settings.emulator is not None, _warn)
    return google_object.GoogleObject(client, bucket, name)


def _summary(done: Downloaded) -> str:
    version = done.fetched.version
    what = f"{version.size:,} bytes of {version.source}, generation {version.generation}, crc32c {done.fetched.crc32c}"
    return f"{done.path}: {what}" if done.new else f"{done.path} is there already: {what}"


@contextmanager
def _bar(title: str, total: int) -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done: bars.advance(task, done)


def _warn(text: str) -> None:
    typer.echo(f"Warning: {text}", err=True)


def run() -> None:
    """Run the command; an error is one clear message and exit status 2."""
    start("download_raw_data", main)
