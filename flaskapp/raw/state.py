"""The state of a download between runs: `state.json` next to the unfinished file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flaskapp.raw.source import Version

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file: its version, its name, and its checksum (crc32c in base64)."""

    version: Version
    name: str
    crc32c: str


@dataclass(frozen=True, slots=True)
class State:
    """`here` is the file in place, `coming` the version of the unfinished file.

    `placing` is the checksum of a file that is about to be moved into place, so that it is recognized after a kill.
    """

    here: Fetched | None = None
    coming: Version | None = None
    placing: str | None = None

    @property
    def downloaded(self) -> set[str]:
        """The checksums of downloaded files, which may be replaced."""
        return {checksum for checksum in (self.here and self.here.crc32c, self.placing) if checksum}


def load(folder: Path) -> State:
    """Return the stored state; an empty one if there is none or it cannot be read."""
    try:
        return _state(json.loads((folder / STATE).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return State()


def save(folder: Path, state: State) -> None:
    """Write the state atomically."""
    unfinished = folder / f".{STATE}"
    with unfinished.open("w") as file:
        json.dump(asdict(state), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / STATE)


def _state(content: dict[str, Any]) -> State:
    here, coming = content["here"], content["coming"]
    return State(
        here and Fetched(Version(**here["version"]), here["name"], here["crc32c"]),
        coming and Version(**coming),
        content["placing"],
    )
