"""Record 100 of the MIT-BIH Arrhythmia Database, and its way into the object store."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import fsspec

DATA = Path(__file__).with_name("data")
SIGNAL, ANNOTATIONS = "record_100_mlii.csv.gz", "record_100_beats.csv"
RAW = "raw"
"""The folder of both files in the object store."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Store both files under an address such as `s3://ecg`, unless they are there."""
    parser = argparse.ArgumentParser(prog="python -m examples.ecg.record.upload", description=__doc__)
    parser.add_argument("objects", help="address of the object store: s3://BUCKET, or a folder")
    sys.stdout.write(f"{upload(parser.parse_args(arguments).objects)} objects stored.\n")
    return 0


def upload(objects: str) -> int:
    """Store the files that are missing or differ, and return how many."""
    files, root = fsspec.url_to_fs(objects)
    files.makedirs(f"{root}/{RAW}", exist_ok=True)
    changed = [name for name in (SIGNAL, ANNOTATIONS) if not _is_stored(files, f"{root}/{RAW}/{name}", DATA / name)]
    for name in changed:
        files.pipe_file(f"{root}/{RAW}/{name}", (DATA / name).read_bytes())
    return len(changed)


def _is_stored(files: fsspec.AbstractFileSystem, stored: str, local: Path) -> bool:
    return bool(files.exists(stored)) and files.cat_file(stored) == local.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
