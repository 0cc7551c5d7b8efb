"""Arrow streams from strangers: how much memory their compressed buffers take is known before any is unpacked.

Messages are read as the columnar format of Arrow lays them out (format/Message.fbs, FlatBuffers).
"""

import struct
from collections.abc import Iterator

import pyarrow as pa

from driftline.errors import InvalidInput
from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.content import MOST_BYTES

_HEADER_TYPE, _HEADER = 1, 2
"""Fields of a Message: the type of what it holds, and where that is."""
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_BUFFERS, _COMPRESSION = 2, 3
"""Fields of a RecordBatch."""
_DATA = 1
"""The field of a DictionaryBatch that is a RecordBatch."""


def read_stream(data: bytes, most: int = MOST_BYTES) -> pa.Table:
    """Return the table of an Arrow IPC stream, checked in full, so that no offset points outside of its buffers.

    Raises:
        InvalidInput: it is not an Arrow stream, or it is damaged.
        TooMuchContent: it takes more than `most` bytes once its buffers are unpacked.
    """
    try:
        if sum(_unpacked_sizes(data)) > most:
            raise TooMuchContent(
                f"The Arrow stream takes more than {most // 2**20:,} MB once its buffers are unpacked; send it in "
                "parts of fewer rows."
            )
        with pa.ipc.open_stream(data) as reader:
            table: pa.Table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, EOFError, ValueError, struct.error, IndexError) as error:
        raise InvalidInput(f"The body cannot be read as an Arrow stream ({error}); write it again.") from error
    return table


def _unpacked_sizes(data: bytes) -> Iterator[int]:
    """Yield how many bytes each message's buffers take once they are unpacked."""
    for message in _messages(pa.ipc.MessageReader.open_stream(data)):
        yield _unpacked_size(message.metadata.to_pybytes(), message.body)


def _messages(reader: pa.ipc.MessageReader) -> Iterator[pa.ipc.Message]:
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        yield message


def _unpacked_size(metadata: bytes, body: pa.Buffer | None) -> int:
    """Return the bytes that a message's buffers take: each compressed one begins with their number."""
    message = _Table.root(metadata)
    kind, batch = message.byte(_HEADER_TYPE), message.table(_HEADER)
    if kind == _DICTIONARY_BATCH and batch is not None:
        batch = batch.table(_DATA)
    elif kind != _RECORD_BATCH:
        return 0
    if batch is None or body is None or batch.table(_COMPRESSION) is None:
        return body.size if body is not None else 0
    content = memoryview(body)
    sizes = (_size_of(content, offset, length) for offset, length in batch.pairs(_BUFFERS))
    return sum(sizes)


def _size_of(body: memoryview, offset: int, length: int) -> int:
    """Return the size of a compressed buffer; -1 means that it is not compressed."""
    if length < 8:
        return 0
    size = int(struct.unpack_from("<q", body, offset)[0])
    return max(size, length)


class _Table:
    """A FlatBuffers table: its fields by number, each None or 0 where it is absent."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._fields = place - struct.unpack_from("<i", data, place)[0]

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def _place_of(self, field: int) -> int | None:
        if 4 + 2 * field >= struct.unpack_from("<H", self._data, self._fields)[0]:
            return None
        offset = struct.unpack_from("<H", self._data, self._fields + 4 + 2 * field)[0]
        return self._place + offset if offset else None

    def byte(self, field: int) -> int:
        place = self._place_of(field)
        return 0 if place is None else self._data[place]

    def table(self, field: int) -> "_Table | None":
        place = self._place_of(field)
        return None if place is None else _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """Yield the structs of two 64-bit numbers of a vector."""
        place = self._place_of(field)
        if place is None:
            return
        vector = place + struct.unpack_from("<I", self._data, place)[0]
        for number in range(struct.unpack_from("<I", self._data, vector)[0]):
            yield struct.unpack_from("<qq", self._data, vector + 4 + 16 * number)
