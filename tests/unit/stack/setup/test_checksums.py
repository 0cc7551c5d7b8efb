"""A downloaded file that differs is named and not used."""

import hashlib
from pathlib import Path

import pytest

from stack.errors import ChecksumMismatch
from stack.setup import checksums, downloads, jars


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    committed = tmp_path / "checksums.txt"
    committed.write_text(f"{hashlib.sha256(b'right').hexdigest()}  set/a.jar\n")
    monkeypatch.setattr(checksums, "COMMITTED", committed)
    set_folder = tmp_path / "set"
    set_folder.mkdir()
    (set_folder / "a.jar").write_bytes(b"right")
    return set_folder


def test_the_committed_files_pass(folder: Path) -> None:
    checksums.verify(folder, "set")


@pytest.mark.parametrize(("name", "content"), [("a.jar", b"wrong"), ("b.jar", b"right")])
def test_a_changed_or_added_file_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ChecksumMismatch, match=rf"tested with: {name} \(set\)"):
        checksums.verify(folder, "set")


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "a.jar").unlink()
    with pytest.raises(ChecksumMismatch, match=r"a\.jar"):
        checksums.verify(folder, "set")


@pytest.mark.parametrize("download", downloads.DOWNLOADS, ids=lambda download: download.jars.name)
def test_every_download_has_its_checksums(download: downloads.Download) -> None:
    assert checksums.expected(download.jars.name)
    assert download.jars.pom.exists()


def test_a_folder_counts_only_when_it_was_published(tmp_path: Path) -> None:
    target = tmp_path / "kafka"
    staged = jars.staging(target)
    (staged / "a.jar").touch()
    assert not jars.is_complete(jars.KAFKA, target)
    jars.publish(jars.KAFKA, staged, target)
    assert jars.is_complete(jars.KAFKA, target)
    assert not jars.is_complete(jars.SPARK, target)


def test_a_set_is_fetched_again_for_another_file_of_its_own_only(folder: Path) -> None:
    kafka, spark = jars.KAFKA, jars.SPARK
    stamps = kafka.stamp, spark.stamp
    added = checksums.COMMITTED.read_text() + f"{hashlib.sha256(b'more').hexdigest()}  kafka/b.jar\n"
    checksums.COMMITTED.write_text(added)
    assert kafka.stamp != stamps[0]
    assert spark.stamp == stamps[1]
