"""One contract for three stores: a folder, Google Cloud Storage's protocol and S3's, on real servers."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from driftline.objects import (
    ObjectMissing,
    ObjectReplaced,
    ObjectStore,
    StoreRefused,
    StoreUnavailable,
    open_store,
    read_object,
)
from stack.servers import ports
from stack.testing.object_servers import TemporaryGcs, TemporaryS3

LARGE = bytes(range(256)) * 40_000
"""10 MB: more than one part of an upload, more than two blocks."""
KEY = "references/churn/1f.parquet"


@pytest.fixture(params=["folder", "gs", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store below a prefix, in each of the three kinds."""
    addresses: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "objects"),
        "gs": lambda: f"{request.getfixturevalue('gcs_bucket')}/some/prefix",
        "s3": lambda: f"{request.getfixturevalue('s3_bucket')}/some/prefix",
    }
    return open_store(addresses[request.param]())


def test_a_stored_object_can_be_read(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    assert store.get(KEY) == b"abc"
    assert store.exists(KEY)
    assert read_object(store.at(KEY)) == b"abc"
    assert open_store(store.address).get(KEY) == b"abc"


def test_a_write_replaces_the_object(store: ObjectStore) -> None:
    store.put(KEY, b"a long content")
    store.put(KEY, b"short")
    assert store.get(KEY) == b"short"
    store.put(KEY, b"")
    assert (store.get(KEY), store.exists(KEY)) == (b"", True)


def test_files_are_stored_and_fetched(store: ObjectStore, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(LARGE)
    store.put_file(KEY, source)
    store.fetch(KEY, target)
    assert target.read_bytes() == LARGE
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_parts_of_an_open_object_are_read(store: ObjectStore) -> None:
    store.put(KEY, LARGE)
    with store.open(KEY) as file:
        file.seek(-5, 2)
        assert file.read() == LARGE[-5:]
        file.seek(1_000)
        assert file.read(300) == LARGE[1_000:1_300]
    with pytest.raises(ObjectMissing), store.open("references/none.parquet"):
        pass


def test_reading_a_replaced_object_is_consistent_or_fails(store: ObjectStore) -> None:
    other = bytes(len(LARGE))
    store.put(KEY, LARGE)
    reading = store.read(KEY)
    read = next(reading)
    store.put(KEY, other)
    try:
        assert read + b"".join(reading) == LARGE
    except ObjectReplaced as error:
        assert store.at(KEY) in str(error)
    assert b"".join(store.read(KEY)) == other


def test_a_folder_marker_is_no_object(s3_bucket: str) -> None:
    """Consoles and other programs put an empty object with a slash at its end."""
    store = open_store(f"{s3_bucket}/some/prefix")
    store.put("folder/a", b"c")
    for marker in ("some/prefix/", "some/prefix/folder/"):
        bucket = s3_bucket.removeprefix("s3://")
        store._filesystem.call_s3("put_object", Bucket=bucket, Key=marker, Body=b"")
    assert store.list_keys() == ["folder/a"]
    store.delete_all()
    assert store.list_keys() == []


def test_an_object_is_hashed_and_read_from_an_offset(store: ObjectStore) -> None:
    store.put(KEY, LARGE)
    assert store.sha256(KEY) == hashlib.sha256(LARGE).hexdigest()
    assert b"".join(store.read(KEY, 5_000_001)) == LARGE[5_000_001:]
    assert store.info(KEY)["size"] == len(LARGE)


def test_keys_are_listed_below_a_prefix(store: ObjectStore) -> None:
    assert store.list_keys() == []
    for key in ("b/Date=2026-01-02/rows.parquet", "a", "b/Date=2026-01-01/rows.parquet", "bc/d"):
        store.put(key, key.encode())
    assert store.list_keys() == ["a", "b/Date=2026-01-01/rows.parquet", "b/Date=2026-01-02/rows.parquet", "bc/d"]
    part = store.under("b")
    assert part.list_keys() == ["Date=2026-01-01/rows.parquet", "Date=2026-01-02/rows.parquet"]
    assert part.get("Date=2026-01-01/rows.parquet") == b"b/Date=2026-01-01/rows.parquet"
    part.delete_all()
    assert (part.list_keys(), store.list_keys()) == ([], ["a", "bc/d"])


def test_each_write_is_another_version(store: ObjectStore) -> None:
    assert store.versions() == {}
    for key in ("b", "a/c"):
        store.put(key, b"old")
    first = store.versions()
    assert [*first] == ["a/c", "b"]
    assert store.versions() == first == {**store.versions("a/c"), **store.versions("b")}
    store.put("b", b"new")
    second = store.versions()
    assert (second["a/c"], second["b"] != first["b"]) == (first["a/c"], True)


def test_a_missing_object_is_named_with_its_address(store: ObjectStore, tmp_path: Path) -> None:
    assert not store.exists(KEY)
    for read in (store.get, store.sha256, store.info, lambda key: store.fetch(key, tmp_path / "target")):
        with pytest.raises(ObjectMissing, match=r"There is no object .*/references/churn/1f\.parquet"):
            read(KEY)
    assert not (tmp_path / "target").exists()


def test_a_prefix_is_no_object(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    assert not store.exists("references")
    with pytest.raises(ObjectMissing):
        store.info("references/churn")


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)


def test_readers_see_old_or_new_content(store: ObjectStore) -> None:
    contents = [bytes([number]) * 300_000 for number in range(6)]
    store.put(KEY, contents[0])

    def write() -> None:
        for content in contents:
            store.put(KEY, content)

    writer = threading.Thread(target=write)
    writer.start()
    read = []
    while writer.is_alive():
        read.append(store.get(KEY))
    writer.join()
    assert all(content in contents for content in read)
    assert store.get(KEY) == contents[-1]


def test_a_failed_write_keeps_the_old_object(store: ObjectStore, tmp_path: Path) -> None:
    store.put(KEY, b"abc")
    with pytest.raises(ObjectMissing):
        store.put_file(KEY, tmp_path / "nowhere")
    assert store.get(KEY) == b"abc"
    assert store.list_keys() == [KEY]


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "."])
def test_a_key_outside_the_store_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid object key"):
        store.put(key, b"")


def test_a_wrong_key_is_refused_and_not_shown(s3_bucket: str, s3: TemporaryS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with pytest.raises(StoreRefused, match="check the credentials") as refused:
        open_store(s3_bucket).put(KEY, b"abc")
    assert "another-secret" not in str(refused.value)


def test_a_missing_bucket_is_an_error(gcs: TemporaryGcs, s3: TemporaryS3) -> None:
    for address in ("gs://nowhere-at-all", "s3://nowhere-at-all"):
        with pytest.raises(ObjectMissing, match="nowhere-at-all"):
            open_store(address).put(KEY, b"abc")


def test_an_unreachable_server_is_reported(s3: TemporaryS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.any_free()}")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        open_store("s3://bucket").get(KEY)
