"""The composition root of `flaskapp/DataFile/download_raw_data.py`; a failure is reported in one message."""

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn, TransferSpeedColumn

from driftline.clock import MAX_CLOCK_SKEW, utc_now
from driftline.errors import InvalidInput
from flaskapp.command import run_command
from flaskapp.progress import Progress, progress_bar
from flaskapp.raw import google_object
from flaskapp.raw.download import Downloaded, download
from flaskapp.raw.file import FOLDER
from flaskapp.raw.source import NotConfigured, ObjectSource
from flaskapp.raw.stored_object import StoredObject
from flaskapp.settings import RawDataSettings

GOOGLE = "gs://"


def main(folder: Annotated[Path, typer.Option(help="folder for RawData.csv or RawData.csv.gz")] = FOLDER) -> None:
    """Download the raw data that the settings name, unless it is there already."""
    settings = RawDataSettings()
    downloaded = download(source_of(settings), folder, utc_now() + MAX_CLOCK_SKEW, _bar, time.sleep)
    typer.echo(_summary(downloaded))


def source_of(settings: RawDataSettings) -> ObjectSource:
    """Return the source that the settings name.

    Raises:
        NotConfigured: no source is set. InvalidInput: the address is invalid. NoAccess: there are no credentials.
    """
    address = settings.address
    if address is None:
        raise NotConfigured
    if not address.startswith(GOOGLE):
        return StoredObject(address)
    bucket, _, name = address.removeprefix(GOOGLE).partition("/")
    if not (bucket and name):
        raise InvalidInput(f"{address} does not name an object; write it as gs://bucket/name.")
    client = google_object.make_client(settings.emulator is not None, _warn)
    return google_object.GoogleObject(client, bucket, name)


def _summary(downloaded: Downloaded) -> str:
    version, crc32c = downloaded.fetched.version, downloaded.fetched.crc32c
    description = f"{version.size:,} bytes of {version.source}, generation {version.generation}, crc32c {crc32c}"
    place = f"{downloaded.path}" if downloaded.new else f"{downloaded.path} is there already"
    return f"{place}: {description}"


def _bar(title: str, total: int) -> AbstractContextManager[Progress]:
    return progress_bar(title, total, DownloadColumn(), TransferSpeedColumn())


def _warn(text: str) -> None:
    typer.echo(f"Warning: {text}", err=True)


def run() -> None:
    """Run the command; report an error in one message and exit with status 2."""
    run_command("download_raw_data", main)
