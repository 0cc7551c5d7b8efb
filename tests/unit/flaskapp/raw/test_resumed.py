"""What a full disk, an endless failure and a stubborn source do to a download."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flaskapp.raw.resumed import complete, retry
from flaskapp.raw.source import Interrupted, NoSpace, ObjectUnavailable, ObjectVersion, Write, is_gzipped

CONTENT = bytes(range(250)) * 4
VERSION = ObjectVersion("gs://bucket/name", "1", len(CONTENT), None, gzipped=False)


class Dripping:
    """A source whose every request brings so many bytes, then breaks; 0 brings none."""

    def __init__(self, *requests: int) -> None:
        self.requests, self.starts = list(requests), list[int]()

    def current_version(self) -> ObjectVersion:
        return VERSION

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        self.starts.append(start)
        end = start + self.requests.pop(0)
        write(CONTENT[start:end])
        if end < len(CONTENT):
            raise Interrupted("the line broke")


def test_every_request_resumes_at_the_last_byte(tmp_path: Path) -> None:
    source, progress, pauses = Dripping(300, 0, 300, 0, 0, 0, 400), list[int](), list[float]()
    complete(source, VERSION, tmp_path / "file", progress.append, pauses.append)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert source.starts == [0, 300, 300, 600, 600, 600, 600]
    assert sum(progress) == len(CONTENT)
    assert pauses == [0.5, 1, 0.5, 1, 2, 4]


def test_five_requests_without_progress_end_the_download(tmp_path: Path) -> None:
    source = Dripping(300, 0, 0, 0, 0)
    with pytest.raises(ObjectUnavailable, match=r"5 times in a row \(the line broke\)"):
        complete(source, VERSION, tmp_path / "file", lambda _: None, lambda _: None)
    assert (tmp_path / "file").read_bytes() == CONTENT[:300]


def test_a_short_response_is_an_error(tmp_path: Path) -> None:
    class EmptyAnswers(Dripping):
        def read(self, version: ObjectVersion, start: int, write: Write) -> None:
            write(b"")

    with pytest.raises(ObjectUnavailable, match="ended after 0 bytes"):
        complete(EmptyAnswers(), VERSION, tmp_path / "file", lambda _: None, lambda _: None)


def test_missing_space_is_reported_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 999))
    source = Dripping(1000)
    with pytest.raises(NoSpace, match=r"0\.00 GB are needed"):
        complete(source, VERSION, tmp_path / "file", lambda _: None, lambda _: None)
    assert source.starts == []


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    class Filling(Dripping):
        def read(self, version: ObjectVersion, start: int, write: Write) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NoSpace, match="The disk is full"):
        complete(Filling(), VERSION, tmp_path / "file", lambda _: None, lambda _: None)


def test_an_interrupted_request_is_repeated(tmp_path: Path) -> None:
    answers: list[Callable[[], int]] = [lambda: 1 // 0, lambda: 7]

    def ask() -> int:
        try:
            return answers.pop(0)()
        except ZeroDivisionError as error:
            raise Interrupted("busy") from error

    assert retry(ask, "it", lambda _: None) == 7


@pytest.mark.parametrize(
    ("name", "content_type", "encoding", "gzipped"),
    [
        ("a.csv", "text/csv", None, False),
        ("a.csv", None, None, False),
        ("a.csv.gz", "text/csv", None, True),
        ("a.csv", "application/x-gzip", None, True),
        ("a.csv", "text/csv", "gzip", True),
    ],
)
def test_gzipped_by_name_type_or_encoding(
    name: str, content_type: str | None, encoding: str | None, gzipped: bool
) -> None:
    assert is_gzipped(name, content_type, encoding) is gzipped
