"""Too many rows, objects or lists are refused before Python objects are made of them."""

import json
import random
import tracemalloc

import pytest

from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows import json_size
from driftline.ingest.rows.content import MOST_ROWS, Content, Format
from driftline.ingest.rows.json_rows import json_rows
from driftline.ingest.rows.json_size import MOST_CONTAINERS, containers_of, require_small_document

MANY = 1_000_000


def _read(data: bytes, format_: Format) -> int:
    return len(json_rows(Content(data, format_, len(data)), ("id",), ("id",)).frame)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (b"[" + b"{}," * MANY + b"{}]", Format.JSON),
        (b"[" + b"1," * MANY + b"1]", Format.JSON),
        (b"[[" + b"[]," * MANY + b"[]]]", Format.JSON),
        (b'{"id": [' + b"{}," * MANY + b"{}]}", Format.JSON),
        (b"[" + b"{}," * MANY, Format.JSON),
        (b"{}\n" * MANY, Format.NDJSON),
        (b'{"id": [' + b"[]," * MANY + b"[]]}", Format.NDJSON),
    ],
)
def test_a_bomb_is_refused_in_little_memory(data: bytes, format_: Format) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooMuchContent, match=f"send at most {MOST_ROWS:,}"):
            _read(data, format_)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_the_most_rows_are_read_for_any_texts() -> None:
    rows = [{"id": 'a[{,"\\'}] * MOST_ROWS
    assert _read(json.dumps(rows).encode(), Format.JSON) == MOST_ROWS
    assert _read(b"\n\n".join(json.dumps(row).encode() for row in rows), Format.NDJSON) == MOST_ROWS
    with pytest.raises(TooMuchContent, match="100,001 rows"):
        _read(json.dumps([*rows, rows[0]]).encode(), Format.JSON)


def test_containers_are_counted_outside_of_texts_wherever_blocks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    for block in range(1, 40, 3):
        monkeypatch.setattr(json_size, "BLOCK_BYTES", block)
        texts = ["".join(rng.choices('\\"[{]},a', k=rng.randrange(9))) for _ in range(20)]
        data = json.dumps([{text: [text, {}]} for text in texts]).encode()
        assert containers_of(data) == 1 + 3 * len(texts)
        assert require_small_document(data) == len(data)


def test_too_many_ids_are_refused_before_parsing() -> None:
    data = b'{"ids": [' + b'"ab",' * MANY + b'"ab"]}'
    with pytest.raises(TooMuchContent, match="rows or more"):
        require_small_document(data, depth_of_rows=2)


def test_one_row_of_many_values_is_one_row() -> None:
    values = b",".join(b'"%d": 1' % n for n in range(MOST_ROWS + 1))
    assert require_small_document(b"{" + values + b"}") > MOST_ROWS
    assert MOST_CONTAINERS > MOST_ROWS
