"""What was sent is unpacked as it says, and never further than may be read."""

import gzip

import numpy as np
import pyarrow as pa
import pytest

from driftline.errors import InvalidInput
from driftline.ingest.errors import TooMuchContent, UnsupportedContent
from driftline.ingest.rows.arrow_stream import read_stream
from driftline.ingest.rows.content import Content, Encoding, Format, format_of, require_few_rows, unpacked

ZSTD = pa.Codec("zstd")


def stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("application/json", Format.JSON),
        ("Text/CSV; charset=utf-8", Format.CSV),
        (" application/vnd.apache.arrow.stream ", Format.ARROW),
    ],
)
def test_a_content_type_names_a_format(text: str, format_: Format) -> None:
    assert format_of(text) is format_


@pytest.mark.parametrize("text", [None, "", "text/plain", "application/xml"])
def test_other_types_are_refused_with_those_that_are_supported(text: str | None) -> None:
    with pytest.raises(UnsupportedContent, match="text/csv"):
        format_of(text)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"rows", None),
        (b"rows", "identity"),
        (gzip.compress(b"rows"), "gzip"),
        (gzip.compress(b"ro") + gzip.compress(b"ws"), "GZIP"),
        (ZSTD.compress(b"rows", asbytes=True), "zstd"),
    ],
)
def test_a_body_is_unpacked(body: bytes, encoding: str | None) -> None:
    content = Content.of(body, "text/csv", encoding)
    assert (content.data, content.sent_bytes) == (b"rows", len(body))


@pytest.mark.parametrize("encoding", [Encoding.GZIP, Encoding.ZSTD])
@pytest.mark.parametrize("body", [b"", b"rows", gzip.compress(b"rows")[:-4], ZSTD.compress(b"rows", asbytes=True)[:-3]])
def test_a_damaged_body_is_refused(encoding: Encoding, body: bytes) -> None:
    with pytest.raises(InvalidInput, match=f"{encoding}"):
        unpacked(body, encoding)


@pytest.mark.parametrize("encoding", Encoding)
def test_no_more_is_unpacked_than_may_be_read(encoding: Encoding) -> None:
    zeros = bytes(1_001)
    packed = {Encoding.GZIP: gzip.compress(zeros), Encoding.ZSTD: ZSTD.compress(zeros, asbytes=True)}
    assert len(unpacked(packed.get(encoding, zeros), encoding, most=1_001)) == 1_001
    with pytest.raises(TooMuchContent, match="in parts"):
        unpacked(packed.get(encoding, zeros), encoding, most=1_000)


def test_too_many_rows_are_refused() -> None:
    require_few_rows(100_000)
    with pytest.raises(TooMuchContent, match="100,001 rows; send at most 100,000"):
        require_few_rows(100_001)


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_an_arrow_stream_is_measured_before_it_is_unpacked(compression: str | None) -> None:
    words = pa.array(["a", "b", None] * 1_000).dictionary_encode()
    table = pa.table({"number": np.zeros(3_000), "text": ["word"] * 3_000, "code": words})
    body = stream(table, compression)
    assert read_stream(body).equals(table)
    size = sum(column.nbytes for column in table.columns)
    with pytest.raises(TooMuchContent, match="once its buffers are unpacked"):
        read_stream(body, most=size - 4_000)


def test_damaged_arrow_streams_are_refused() -> None:
    body = stream(pa.table({"id": ["a", "b"], "number": [1.0, 2.0]}))
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(body)
        for place in rng.integers(0, len(body), 4):
            damaged[place] = rng.integers(0, 256)
        try:
            read_stream(bytes(damaged[: rng.integers(1, len(body) + 1)]))
        except InvalidInput:
            refused += 1
    assert refused > 200
