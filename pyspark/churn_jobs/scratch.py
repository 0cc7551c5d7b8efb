"""The folder of a run for unfinished files, `<DRIFTLINE_VAR>/unfinished/<job>-<run>`: removed when the run ends."""

import shutil
from pathlib import Path
from uuid import uuid4

UNFINISHED = "unfinished"


def folder_of_run(var: Path, job: str) -> Path:
    """Return the folder for a new run; it is created when a file is written."""
    return var / UNFINISHED / f"{job}-{uuid4().hex}"


def clear_dead(scratch: Path) -> None:
    """Remove the folders of killed runs of this job; no other run is active, since this one holds the job's lock."""
    job = scratch.name.rpartition("-")[0]
    for folder in scratch.parent.glob(f"{job}-*"):
        if folder != scratch:
            shutil.rmtree(folder, ignore_errors=True)
