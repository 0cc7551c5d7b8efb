"""Proposes a model from a reference that came as the body of a request."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from driftline.backtesting.input.sources.open_source import open_source
from driftline.backtesting.input.sources.sources import FrameSource, TableSource, to_frame
from driftline.backtesting.request.names import split_score
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import read_request
from driftline.ingest.errors import UnsupportedContent
from driftline.ingest.rows.arrow_stream import read_stream
from driftline.ingest.rows.content import Content, Encoding, Format
from driftline.ingest.rows.content_frame import require_small_parquet
from driftline.models.proposal import Proposal, propose_model

FILE_TYPES = {
    ".csv": (Format.CSV, Encoding.NONE),
    ".csv.gz": (Format.CSV, Encoding.GZIP),
    ".parquet": (Format.PARQUET, Encoding.NONE),
    ".pq": (Format.PARQUET, Encoding.NONE),
    ".arrow": (Format.ARROW, Encoding.NONE),
}
"""The format and compression of a file by the end of its name."""
SUFFIXES = {Format.CSV: ".csv", Format.PARQUET: ".parquet"}
FORMATS = (*SUFFIXES, Format.ARROW)
"""The formats of a reference: tables, whose columns keep their types and their order."""


def propose_uploaded(content: Content, name: str, request: Request, scores: Sequence[str]) -> Proposal:
    """Infer a model from an uploaded reference and fit it; nothing is stored.

    `request` says which columns are what. Each of `scores` is a column, or `CLASS=COLUMN` of one of
    several classes.

    Raises:
        UnsupportedContent: the reference is not a table. TooMuchContent: it is too large once it is unpacked.
        InvalidInput: with every fault of the options; or the rows do not fit them, or the reference is too short.
    """
    with TemporaryDirectory(prefix="driftline-") as folder:
        source = _source(content, Path(folder), request.na_values)
        split = tuple(split_score(text, source.columns) for text in scores)
        named = replace(request, name=name, scores=split)
        return propose_model(source, read_request(named, source.columns), name)


def file_content(name: str, body: bytes) -> Content:
    """Return the content of an uploaded file; the end of its name says what it is.

    Raises:
        UnsupportedContent: the name ends otherwise. TooMuchContent, InvalidInput: as `Content.of`.
    """
    for suffix, (format_, encoding) in FILE_TYPES.items():
        if name.lower().endswith(suffix):
            return Content.of(body, format_, encoding)
    raise UnsupportedContent(f"{name!r} is not a table; choose a file that ends in {', '.join(FILE_TYPES)}.")


def columns_of(content: Content) -> tuple[str, ...]:
    """Return the names of a reference's columns.

    Raises:
        UnsupportedContent, TooMuchContent, InvalidInput: as `propose_uploaded`.
    """
    with TemporaryDirectory(prefix="driftline-") as folder:
        return tuple(_source(content, Path(folder), ()).columns)


def _source(content: Content, folder: Path, na_values: tuple[str, ...]) -> TableSource:
    if content.format is Format.ARROW:
        return FrameSource(to_frame(read_stream(content.data)), "reference")
    if content.format not in SUFFIXES:
        raise UnsupportedContent(f"A reference is a table, not {content.format}; send one of {', '.join(FORMATS)}.")
    file = folder / f"reference{SUFFIXES[content.format]}"
    file.write_bytes(content.data)
    source = open_source(file, na_values)
    if content.format is Format.PARQUET:
        require_small_parquet(pq.read_metadata(file))
    return source
