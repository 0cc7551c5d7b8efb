"""Halves of a batch that is too large for the monitor or a proxy, or of which some rows are invalid. No I/O here."""

from driftline.client.batch_file import FileFormat

MOST_HALVINGS = 8
"""How often a batch is halved: a batch of 5,000 rows into parts of 20."""


def halve(form: FileFormat, content: bytes) -> tuple[bytes, bytes] | None:
    """Return two batches with the first and the second half of the rows; None for a single row."""
    return _halve_lines(content) if form is FileFormat.NDJSON else _halve_table(content)


def _halve_lines(content: bytes) -> tuple[bytes, bytes] | None:
    lines = content.splitlines(keepends=True)
    middle = len(lines) // 2
    return (b"".join(lines[:middle]), b"".join(lines[middle:])) if middle else None


def _halve_table(content: bytes) -> tuple[bytes, bytes] | None:
    from driftline.client.arrow_frame import read_stream, write_stream  # noqa: PLC0415  (it needs pyarrow)

    table = read_stream(content)
    middle = table.num_rows // 2
    return (write_stream(table.slice(0, middle)), write_stream(table.slice(middle))) if middle else None
