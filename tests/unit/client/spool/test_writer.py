"""The writer takes rows until it is closed, and what it has taken is in the spool folder then."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from driftline.client.batches.batch_file import BatchStage, FileFormat, RowKind
from driftline.client.batches.rows import Row
from driftline.client.errors import ClientClosed, SpoolFailed
from driftline.client.spool.spool import Spool
from driftline.client.spool.writer import SpoolWriter

ROW = Row("a", b'{"id":"a"}\n')


def writer_of(spool: Spool, batch_rows: int = 10) -> SpoolWriter:
    return SpoolWriter(spool, batch_rows=batch_rows, max_spool_bytes=1 << 20)


def test_a_closed_writer_takes_no_rows(tmp_path: Path) -> None:
    """A call that was begun before the client was closed may come after it."""
    writer = writer_of(Spool(tmp_path))
    writer.append(RowKind.LABELS, [ROW])
    writer.close(1)
    with pytest.raises(ClientClosed):
        writer.append(RowKind.LABELS, [Row("b", b'{"id":"b"}\n')])
    with pytest.raises(ClientClosed):
        writer.add(RowKind.PREDICTIONS, FileFormat.ARROW, [b"table"], 3)
    assert writer.rows == 1


class SlowSpool(Spool):
    """A spool on a disk that takes its time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun, self.may_end = threading.Event(), threading.Event()

    def add(self, kind: RowKind, form: FileFormat, contents: Sequence[bytes]) -> None:
        self.begun.set()
        assert self.may_end.wait(10)
        super().add(kind, form, contents)


def test_closing_waits_for_a_frame_that_is_being_stored(tmp_path: Path) -> None:
    spool = SlowSpool(tmp_path)
    writer = writer_of(spool)
    calls = [
        threading.Thread(target=writer.add, args=(RowKind.PREDICTIONS, FileFormat.ARROW, [b"table"], 3)),
        threading.Thread(target=writer.close, args=(10,)),
    ]
    calls[0].start()
    assert spool.begun.wait(10)
    calls[1].start()
    calls[1].join(0.05)
    assert calls[1].is_alive()
    spool.may_end.set()
    for call in calls:
        call.join(10)
    assert len(spool.batches(BatchStage.READY)) == 1


def test_a_failing_disk_says_how_many_rows_were_taken(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    writer = writer_of(spool, batch_rows=2)
    writer.append(RowKind.LABELS, [ROW])
    spool.folder.rename(tmp_path / "elsewhere")  # the open batch can be written, and no other one begun
    with pytest.raises(SpoolFailed) as failure:
        writer.append(RowKind.LABELS, [Row(name, b'{"id":"%s"}\n' % name.encode()) for name in "bcd"])
    assert (failure.value.accepted, writer.rows) == (1, 2)
