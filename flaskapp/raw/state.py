"""The state of a download between runs: `state.json` next to the unfinished file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flaskapp.raw.source import ObjectVersion

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file: its version, its name, and its checksum (crc32c in base64)."""

    version: ObjectVersion
    name: str
    crc32c: str


@dataclass(frozen=True, slots=True)
class DownloadState:
    """`in_place` is the downloaded file, `coming` the version of the unfinished file.

    `placing` is the checksum of a file that is about to be moved into place, so that it is recognized after a kill.
    """

    in_place: Fetched | None = None
    coming: ObjectVersion | None = None
    placing: str | None = None

    @property
    def downloaded(self) -> set[str]:
        """The checksums of downloaded files, which may be replaced."""
        return {checksum for checksum in (self.in_place and self.in_place.crc32c, self.placing) if checksum}


def load(folder: Path) -> DownloadState:
    """Return the stored state; an empty one if there is none or it cannot be read."""
    try:
        return _state(json.loads((folder / STATE).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return DownloadState()


def save(folder: Path, state: DownloadState) -> None:
    """Write the state atomically."""
    unfinished = folder / f".{STATE}"
    with unfinished.open("w") as file:
        json.dump(_content(state), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / STATE)


def _content(state: DownloadState) -> dict[str, Any]:
    fields = asdict(state)
    return {"here": fields.pop("in_place"), **fields}


def _state(content: dict[str, Any]) -> DownloadState:
    in_place, coming = content["here"], content["coming"]
    return DownloadState(
        in_place and Fetched(ObjectVersion(**in_place["version"]), in_place["name"], in_place["crc32c"]),
        coming and ObjectVersion(**coming),
        content["placing"],
    )
