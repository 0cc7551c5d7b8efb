"""An archive of the classes of a Java program, parsed and verified: with it, the program starts in half the time.

The name of an archive contains what it depends on, since Java refuses one of other jars or of another Java.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from stack import paths
from stack.locks import exclusive_lock

SILENT = "-Xlog:cds=off,cds+dynamic=off:stderr"


def archive_of(name: str, java: str, jars: Path) -> Path:
    """Return the file of a program's archive, which need not exist."""
    program = Path(java).resolve()
    parts = (str(program), str(program.stat().st_mtime_ns), str(jars), str(jars.stat().st_mtime_ns))
    return paths.TEMPLATES / f"{name}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}.jsa"


def reading(archive: Path) -> tuple[str, ...]:
    """Return the options of Java that read an archive; none if there is no archive."""
    return (f"-XX:SharedArchiveFile={archive}", SILENT) if archive.exists() else ()


def make(archive: Path, run: Callable[[tuple[str, ...]], bool]) -> None:
    """Make an archive once, also if several processes want it at the same time.

    `run` runs the program with options of Java that write the archive when the program ends, and returns whether it
    ended by itself: an archive of a killed one is incomplete.
    """
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    staged = archive.with_suffix(".partial")
    with exclusive_lock(archive.with_suffix(".lock")):
        if not archive.exists():
            staged.unlink(missing_ok=True)
            if run((f"-XX:ArchiveClassesAtExit={staged}", SILENT)) and staged.exists():  # not every Java writes one
                staged.replace(archive)
