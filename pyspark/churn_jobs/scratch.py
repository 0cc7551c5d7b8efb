"""The folder of a run for what is unfinished, `<DRIFTLINE_VAR>/unfinished/<job>-<run>`: gone when the run ends."""

import shutil
from pathlib import Path
from uuid import uuid4

UNFINISHED = "unfinished"


def folder_of_run(var: Path, job: str) -> Path:
    """Name the folder of a new run; it is made when something is written."""
    return var / UNFINISHED / f"{job}-{uuid4().hex}"


def clear_dead(scratch: Path) -> None:
    """Remove what killed runs of the same job left; none is at work now, since this one holds the job's lock."""
    job = scratch.name.rpartition("-")[0]
    for left in scratch.parent.glob(f"{job}-*"):
        if left != scratch:
            shutil.rmtree(left, ignore_errors=True)
