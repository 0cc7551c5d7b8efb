"""The body of a request: its format, its compression and its bytes, of which a limited number is unpacked."""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd
import pyarrow as pa

from driftline.errors import InvalidInput
from driftline.ingest.errors import TooMuchContent, UnsupportedContent

MOST_BYTES = 256 * 1024 * 1024
"""How many bytes a batch may have once it is unpacked."""
MOST_ROWS = 100_000


class Format(StrEnum):
    """The formats of a batch, by their content types."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"
    ARROW = "application/vnd.apache.arrow.stream"


NESTED = frozenset({Format.JSON, Format.NDJSON})
"""Formats in which a row is an object with its features in a nested object; in all others it is flat."""


class Encoding(StrEnum):
    """The compressions of a batch, as `Content-Encoding` names them."""

    NONE = "identity"
    GZIP = "gzip"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class Content:
    """The unpacked bytes of a batch, their format, and how many bytes were sent.

    Rows that were read already come as a `frame` instead of bytes; those of a larger file are numbered in messages
    behind the `rows_before` them.
    """

    data: bytes
    format: Format
    sent_bytes: int
    frame: pd.DataFrame | None = None
    rows_before: int = 0

    @property
    def nested(self) -> bool:
        """Whether a row is an object with its features in a nested object."""
        return self.format in NESTED

    @classmethod
    def of(cls, body: bytes, content_type: str | None, encoding: str | None, most: int = MOST_BYTES) -> "Content":
        """Unpack a body; parameters of its type, such as `charset=utf-8`, are left out of account.

        Raises:
            UnsupportedContent: the type or the encoding is none of those above.
            TooMuchContent: it has more than `most` bytes once it is unpacked.
            InvalidInput: it is damaged, or it is not packed as `encoding` says.
        """
        return cls(unpacked(body, _encoding(encoding), most), format_of(content_type), len(body))


def format_of(content_type: str | None) -> Format:
    """Return the format of a content type; raise UnsupportedContent for a missing or unknown one."""
    name = (content_type or "").partition(";")[0].strip().lower()
    try:
        return Format(name)
    except ValueError:
        raise UnsupportedContent(
            f"Content-Type {name!r} is not supported; send one of {', '.join(Format)}."
            if name
            else f"The Content-Type is missing; send one of {', '.join(Format)}."
        ) from None


def _encoding(name: str | None) -> Encoding:
    try:
        return Encoding((name or Encoding.NONE).strip().lower())
    except ValueError:
        raise UnsupportedContent(
            f"Content-Encoding {name!r} is not supported; send one of {', '.join(Encoding)}, or none."
        ) from None


def unpacked(body: bytes, encoding: Encoding, most: int = MOST_BYTES) -> bytes:
    """Return a decompressed body; at most `most` bytes are unpacked."""
    data = body if encoding is Encoding.NONE else _decompressed(body, encoding, most)
    if len(data) > most:
        raise TooMuchContent(
            f"The batch has more than {most // 2**20:,} MB once it is unpacked; send it in parts of fewer rows."
        )
    return data


def _decompressed(body: bytes, encoding: Encoding, most: int) -> bytes:
    """Return at most one byte more than `most`."""
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), str(encoding)) as stream:
            data: bytes = stream.read(most + 1)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"The body cannot be unpacked as {encoding} ({error}); send it again.") from error
    if not data and not body:
        raise InvalidInput(f"The body is empty, which {encoding} never is; send it again.")
    return data


def require_few_rows(rows: int, *, at_least: bool = False) -> None:
    """Raise TooMuchContent where a batch has more rows than may be sent at once, counted in full or in part."""
    if rows > MOST_ROWS:
        count = f"{rows:,} rows or more" if at_least else f"{rows:,} rows"
        raise TooMuchContent(f"The batch has {count}; send at most {MOST_ROWS:,} at a time, in parts.")
