"""Writes files atomically: each has either its old or its complete new content."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from driftline.errors import InvalidInput


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file to a temporary folder, then move them all into place, in the order of `files`.

    Raises:
        InvalidInput: the folder cannot be written to; nothing was changed unless the move itself failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            for name, content in files.items():
                (Path(unfinished) / name).write_bytes(content)
            for name in files:
                (Path(unfinished) / name).replace(folder / name)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be written to ({error.strerror}); set EDA_OUTPUT to another folder."
        ) from error
