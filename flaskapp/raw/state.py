"""What a download knows from one run to the next: `state.json` beside the unfinished file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flaskapp.raw.source import Version

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file: the version it is of, its name, and its checksum (crc32c in base64)."""

    version: Version
    name: str
    crc32c: str


@dataclass(frozen=True, slots=True)
class State:
    """`here`: the file that was put in place; `coming`: the version that the unfinished file is of.

    `placing` is the checksum of a file that is about to be put in place, so that a killed run's file is known.
    """

    here: Fetched | None = None
    coming: Version | None = None
    placing: str | None = None

    @property
    def own(self) -> set[str]:
        """The checksums of files that may be replaced: they came from here."""
        return {checksum for checksum in (self.here and self.here.crc32c, self.placing) if checksum}


def load(folder: Path) -> State:
    """Read the state; a first run's is empty, and so is one that cannot be read."""
    try:
        return _state(json.loads((folder / STATE).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return State()


def save(folder: Path, state: State) -> None:
    """Write the state whole or not at all."""
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
