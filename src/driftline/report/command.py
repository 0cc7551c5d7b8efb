"""The command `driftline report`: the report of a monitored model as a file."""

from pathlib import Path
from typing import Annotated

import typer

MODEL = Annotated[str, typer.Argument(help="Name of the registered model.", show_default=False)]
OUTPUT = Annotated[
    Path, typer.Option("--output", "-o", help="File to write; its ending names the format.", show_default=False)
]
FIRST = Annotated[str | None, typer.Option("--from", help="First start of a chunk (default: the newest 30 chunks).")]
LAST = Annotated[str | None, typer.Option("--to", help="Last start of a chunk, included.")]
VERSION = Annotated[int | None, typer.Option(help="Model version (default: the newest).", min=1)]
MONITOR = Annotated[str, typer.Option(help="Address of the monitor; the token is read from DRIFTLINE_TOKEN.")]
CA = Annotated[Path | None, typer.Option(help="PEM file of the authority that signs the monitor's certificate.")]
SECONDS = 300.0
"""How long the monitor may take: it reads the chunks and draws the charts."""


def report(
    model: MODEL,
    output: OUTPUT,
    first: FIRST = None,
    last: LAST = None,
    version: VERSION = None,
    monitor: MONITOR = "http://127.0.0.1:5001",
    ca: CA = None,
) -> None:
    """Write the report of a monitored model as .html, .pdf, .xlsx, .csv or .json."""
    from driftline.client.sending.delivery import Destination  # noqa: PLC0415
    from driftline.client.sending.report_download import download_report  # noqa: PLC0415
    from driftline.errors import InvalidInput  # noqa: PLC0415
    from driftline.output_files import output_faults, write  # noqa: PLC0415  (only this command needs them)

    faults = tuple(output_faults({"--output": output}))
    if faults:
        raise InvalidInput("The report cannot be written.", details=faults)
    query = {name: value for name, value in (("from", first), ("to", last)) if value is not None}
    destination = Destination(monitor, model, version, ca=ca, timeout=SECONDS)
    content = download_report(destination, output.suffix.lstrip(".").lower(), query)
    write({output: lambda path: _store(path, content)})
    typer.echo(f"{output}: {len(content):,} bytes")


def _store(path: Path, content: bytes) -> None:
    path.write_bytes(content)
