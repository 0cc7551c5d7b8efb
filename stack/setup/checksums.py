"""The SHA-256 sums of every downloaded file, committed in checksums.txt in the format of sha256sum."""

import hashlib
from pathlib import Path

from stack.errors import ChecksumMismatch

COMMITTED = Path(__file__).with_name("checksums.txt")


def sha256(path: Path) -> str:
    """Return the SHA-256 sum of a file in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def expected(folder: str) -> dict[str, str]:
    """Return the committed sums of one folder of downloads, by file name."""
    lines = (line.split("  ", 1) for line in COMMITTED.read_text().splitlines())
    pairs = ((path.rpartition("/"), digest) for digest, path in lines)
    return {name: digest for (parent, _, name), digest in pairs if parent == folder}


def verify(folder: Path, name: str) -> None:
    """Compare the files of a folder with the committed names and sums.

    Raises `ChecksumMismatch` with each file that differs, is missing or is unexpected.
    """
    committed = expected(name)
    present = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    faults = sorted(set(committed.items()) ^ set(present.items()))
    if faults:
        names = ", ".join(dict.fromkeys(file for file, _ in faults))
        raise ChecksumMismatch(
            f"Not the files this version was tested with: {names} ({name}). Delete them under ~/.m2/repository"
            " and run `make setup` again; if they differ again, do not use them."
        )
