"""Raw data taken from S3 or a file, by the same download."""

import gzip
from pathlib import Path

import pytest

from driftline.errors import Conflict
from driftline.objects import open_store
from flaskapp.raw.command import source_of
from flaskapp.raw.source import Interrupted, NoAccess, NoSuchObject, ObjectSource, ObjectVersion, Write
from flaskapp.raw.stored_object import StoredObject
from flaskapp.settings import RawDataSettings
from stack.servers import ports
from stack.testing.object_servers import TemporaryS3
from tests.integration.flaskapp.bad_line import bad_line
from tests.integration.flaskapp.raw.test_download import fetch, raw_data


@pytest.fixture(params=["s3", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where raw data can be put."""
    return f"{request.getfixturevalue('s3_bucket')}/exports" if request.param == "s3" else str(tmp_path / "exports")


def test_a_second_download_changes_nothing(place: str, tmp_path: Path) -> None:
    packed = gzip.compress(raw_data())
    open_store(place).put("RawData.csv.gz", packed)
    source = source_of(RawDataSettings(url=f"{place}/RawData.csv.gz"))
    downloaded = fetch(source, tmp_path)
    assert (downloaded.new, downloaded.path.name, downloaded.path.read_bytes()) == (True, "RawData.csv.gz", packed)
    assert not fetch(source, tmp_path).new
    open_store(place).put("RawData.csv.gz", gzip.compress(raw_data(5)))
    assert gzip.decompress(fetch(source, tmp_path).path.read_bytes()) == raw_data(5)


class ReplacedObject:
    """The source, whose object is replaced whenever it was read."""

    def __init__(self, source: ObjectSource, place: str) -> None:
        self._source, self._place, self._first = source, place, 0

    def current_version(self) -> ObjectVersion:
        return self._source.current_version()

    def read(self, version: ObjectVersion, start: int, write: Write) -> None:
        self._first += 100_000
        open_store(self._place).put("RawData.csv", raw_data(first=self._first))
        self._source.read(version, start, write)


def test_an_object_replaced_while_read_is_rejected(place: str, tmp_path: Path) -> None:
    open_store(place).put("RawData.csv", raw_data())
    with pytest.raises(Conflict, match="was replaced while it was read"):
        fetch(ReplacedObject(StoredObject(f"{place}/RawData.csv"), place), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "exports"] == [".download"]


def test_an_interrupted_download_requests_the_rest(
    s3: TemporaryS3, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = raw_data(300_000)
    open_store(s3_bucket).put("RawData.csv", content)
    with bad_line(s3.port) as line:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
        line.cuts = [6_000_000]
        assert fetch(StoredObject(f"{s3_bucket}/RawData.csv"), tmp_path).path.read_bytes() == content
        assert line.ranges
        assert line.cuts == []


def test_missing_denied_and_unavailable_objects_are_reported(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSuchObject, match="check RAW_DATA_URL"):
        StoredObject(f"{s3_bucket}/nothing.csv").current_version()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(NoAccess, match="check the credentials"):
        StoredObject(f"{s3_bucket}/nothing.csv").current_version()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.any_free()}")
    with pytest.raises(Interrupted, match="does not answer"):
        StoredObject(f"{s3_bucket}/nothing.csv").current_version()
