"""The folder of a run for unfinished files, `<DRIFTLINE_VAR>/unfinished/<job>-<run>`: removed when the run ends."""

import shutil
from pathlib import Path
from uuid import uuid4

from driftline.errors import NotFound

UNFINISHED = "unfinished"


def folder_of_run(var: Path, job: str) -> Path:
    """Return the folder for a new run; it is created when a file is written."""
    return var / UNFINISHED / f"{job}-{uuid4().hex}"


def only_file(folder: Path, content: object) -> Path:
    """Return the one Parquet file that Spark wrote into a folder; `content` names what is in it.

    Raises:
        NotFound: it is not here, but on another machine.
    """
    files = [*folder.glob("*.parquet")]
    if len(files) != 1:
        raise NotFound(
            f"Spark wrote {len(files)} files of {content} that can be seen in {folder.parent}, not 1: on a cluster,"
            " DRIFTLINE_VAR must be a folder that all its machines share under the same path."
        )
    return files[0]


def clear_dead(scratch: Path) -> None:
    """Remove the folders of killed runs of this job; no other run is active, since this one holds the job's lock."""
    job = scratch.name.rpartition("-")[0]
    for folder in scratch.parent.glob(f"{job}-*"):
        if folder != scratch:
            shutil.rmtree(folder, ignore_errors=True)
