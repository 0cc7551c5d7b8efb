"""The folder of a run for what is unfinished, `<DRIFTLINE_VAR>/unfinished/<job>-<run>`: gone when the run ends."""

import shutil
from pathlib import Path
from uuid import uuid4

from driftline.errors import NotFound

UNFINISHED = "unfinished"


def folder_of_run(var: Path, job: str) -> Path:
    """Name the folder of a new run; it is made when something is written."""
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
    """Remove what killed runs of the same job left; none is at work now, since this one holds the job's lock."""
    job = scratch.name.rpartition("-")[0]
    for left in scratch.parent.glob(f"{job}-*"):
        if left != scratch:
            shutil.rmtree(left, ignore_errors=True)
