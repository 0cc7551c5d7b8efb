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
    """An empty store below a prefix, on each of the three in turn."""
    places: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "objects"),
        "gs": lambda: f"{request.getfixturevalue('gcs_bucket')}/some/prefix",
        "s3": lambda: f"{request.getfixturevalue('s3_bucket')}/some/prefix",
    }
    return open_store(places[request.param]())


def test_what_was_put_can_be_got(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    assert store.get(KEY) == b"abc"
    assert store.exists(KEY)
    assert read_object(store.at(KEY)) == b"abc"
    assert open_store(store.address).get(KEY) == b"abc"


def test_a_put_replaces_whole(store: ObjectStore) -> None:
    store.put(KEY, b"a long content")
    store.put(KEY, b"short")
    assert store.get(KEY) == b"short"
    store.put(KEY, b"")
    assert (store.get(KEY), store.exists(KEY)) == (b"", True)


def test_files_go_in_and_out(store: ObjectStore, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(LARGE)
    store.put_file(KEY, source)
    store.fetch(KEY, target)
    assert target.read_bytes() == LARGE
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_what_is_replaced_while_it_is_read_is_the_old_one_or_an_error(store: ObjectStore) -> None:
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


def test_what_marks_a_folder_is_no_object(s3_bucket: str) -> None:
    """Consoles and other programs put an empty object with a slash at its end."""
    store = open_store(f"{s3_bucket}/some/prefix")
    store.put("folder/a", b"c")
    for marker in ("some/prefix/", "some/prefix/folder/"):
        bucket = s3_bucket.removeprefix("s3://")
        store._filesystem.call_s3("put_object", Bucket=bucket, Key=marker, Body=b"")
    assert store.names() == ["folder/a"]
    store.delete_all()
    assert store.names() == []


def test_an_object_is_hashed_and_read_from_any_byte_on(store: ObjectStore) -> None:
    store.put(KEY, LARGE)
    assert store.sha256(KEY) == hashlib.sha256(LARGE).hexdigest()
    assert b"".join(store.read(KEY, 5_000_001)) == LARGE[5_000_001:]
    assert store.facts(KEY)["size"] == len(LARGE)


def test_names_are_listed_below_a_prefix(store: ObjectStore) -> None:
    assert store.names() == []
    for key in ("b/Date=2026-01-02/rows.parquet", "a", "b/Date=2026-01-01/rows.parquet", "bc/d"):
        store.put(key, key.encode())
    assert store.names() == ["a", "b/Date=2026-01-01/rows.parquet", "b/Date=2026-01-02/rows.parquet", "bc/d"]
    part = store.under("b")
    assert part.names() == ["Date=2026-01-01/rows.parquet", "Date=2026-01-02/rows.parquet"]
    assert part.get("Date=2026-01-01/rows.parquet") == b"b/Date=2026-01-01/rows.parquet"
    part.delete_all()
    assert (part.names(), store.names()) == ([], ["a", "bc/d"])


def test_what_is_missing_is_named_with_its_address(store: ObjectStore, tmp_path: Path) -> None:
    assert not store.exists(KEY)
    for ask in (store.get, store.sha256, store.facts, lambda key: store.fetch(key, tmp_path / "target")):
        with pytest.raises(ObjectMissing, match=r"There is no object .*/references/churn/1f\.parquet"):
            ask(KEY)
    assert not (tmp_path / "target").exists()


def test_a_prefix_is_no_object(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    assert not store.exists("references")
    with pytest.raises(ObjectMissing):
        store.facts("references/churn")


def test_deleted_is_gone_and_deleting_again_changes_nothing(store: ObjectStore) -> None:
    store.put(KEY, b"abc")
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)


def test_readers_see_the_old_one_or_the_new_one(store: ObjectStore) -> None:
    contents = [bytes([number]) * 300_000 for number in range(6)]
    store.put(KEY, contents[0])

    def write() -> None:
        for content in contents:
            store.put(KEY, content)

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(store.get(KEY))
    writer.join()
    assert all(content in contents for content in seen)
    assert store.get(KEY) == contents[-1]


def test_a_put_that_fails_leaves_what_was_there(store: ObjectStore, tmp_path: Path) -> None:
    store.put(KEY, b"abc")
    with pytest.raises(ObjectMissing):
        store.put_file(KEY, tmp_path / "nowhere")
    assert store.get(KEY) == b"abc"
    assert store.names() == [KEY]


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "."])
def test_a_name_that_leads_elsewhere_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidInput, match="is no name of an object"):
        store.put(key, b"")


def test_a_wrong_key_is_refused_and_not_shown(s3_bucket: str, s3: TemporaryS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with pytest.raises(StoreRefused, match="check the credentials") as refused:
        open_store(s3_bucket).put(KEY, b"abc")
    assert "another-secret" not in str(refused.value)


def test_a_bucket_that_is_not_there_is_an_error(gcs: TemporaryGcs, s3: TemporaryS3) -> None:
    for address in ("gs://nowhere-at-all", "s3://nowhere-at-all"):
        with pytest.raises(ObjectMissing, match="nowhere-at-all"):
            open_store(address).put(KEY, b"abc")


def test_a_server_that_is_away_is_said(s3: TemporaryS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.any_free()}")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        open_store("s3://bucket").get(KEY)
