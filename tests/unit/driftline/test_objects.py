"""Addresses of object stores, valid and invalid."""

import sys
from pathlib import Path

import pytest

from driftline.errors import InvalidInput, MissingLibrary
from driftline.objects import ObjectMissing, open_store, read_object, split_address


@pytest.mark.parametrize("address", ["ftp://host/a", "gs://", "s3:///", "http://a/b"])
def test_an_unknown_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="use a folder, gs://bucket/… or s3://bucket/…"):
        open_store(address)


def test_a_folder_is_absolute_and_created_by_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("objects")
    assert (store.address, store.folder) == (f"{tmp_path}/objects", tmp_path / "objects")
    assert not (tmp_path / "objects").exists()
    assert store.list_keys() == []
    store.put("a/b", b"c")
    assert (tmp_path / "objects" / "a" / "b").read_bytes() == b"c"
    assert open_store(f"file://{tmp_path}/objects").list_keys() == ["a/b"]


def test_an_unfinished_write_is_no_object(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put("a", b"c")
    (tmp_path / ".b.0.unfinished").write_bytes(b"half")
    assert store.list_keys() == ["a"]


def test_an_object_is_found_by_its_full_address(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"c")
    assert read_object(f"{tmp_path}/a") == b"c"
    assert split_address(f"{tmp_path}/a")[1] == "a"
    with pytest.raises(ObjectMissing, match=f"{tmp_path}/b"):
        read_object(f"{tmp_path}/b")


def test_an_address_without_a_slash_is_in_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"c")
    assert read_object("a") == b"c"
    assert split_address("/a")[0].address == "/"


def test_no_object_is_below_an_object(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put("a", b"c")
    assert store.under("a").list_keys() == []


@pytest.mark.parametrize(("scheme", "library", "extra"), [("gs", "gcsfs.core", "gcs"), ("s3", "s3fs", "s3")])
def test_a_missing_library_is_named(scheme: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary, match=rf"install driftline\[{extra}\]"):
        open_store(f"{scheme}://bucket")
