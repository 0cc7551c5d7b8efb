"""An uploaded reference is refused before it takes too much memory."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from werkzeug.datastructures import MultiDict

from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.content import Content, Format
from driftline.models.uploaded import propose_uploaded
from monitoring.api.models.schemas import ReferenceQuery

MILLION = 2**20


def test_a_small_parquet_file_that_takes_much_memory_is_refused() -> None:
    rows = pa.table({"t": pa.nulls(MILLION, pa.int64())})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, rows.schema) as writer:
        for _ in range(40):
            writer.write_table(rows)
    body = sink.getvalue()
    assert len(body) < MILLION
    request = ReferenceQuery(timestamp="t").request(MultiDict())
    with pytest.raises(TooMuchContent, match="320 MB once it is unpacked; send fewer rows"):
        propose_uploaded(Content(body, Format.PARQUET, len(body)), "model", *request)
