"""Output files, written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from driftline.errors import InvalidInput


def write(contents: Mapping[Path, str]) -> None:
    """Write each text to its file, in UTF-8; a file is there whole or as it was before.

    A symbolic link stays one, and what it leads to is written; what is no regular file is an InvalidInput.
    """
    faults = tuple(output_faults({f"output {number}": path for number, path in enumerate(contents, 1)}))
    if faults:
        raise InvalidInput("The files cannot be written.", details=faults)
    written: dict[Path, Path] = {}
    try:
        for path, text in contents.items():
            with _beside(_target(path)) as file:
                written[_target(path)] = Path(file.name)
                file.write(text)
        for target, temporary in written.items():
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
    except OSError as error:
        msg = f"cannot write {error.filename or ', '.join(map(str, contents))}: {error.strerror}"
        raise InvalidInput(msg) from error
    finally:
        for temporary in written.values():
            with suppress(FileNotFoundError):
                temporary.unlink()


def _beside(target: Path) -> IO[str]:
    return tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=".driftline-", delete=False)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _target(path: Path) -> Path:
    """Follow symbolic links, to a file that need not be there; links in a circle lead to themselves."""
    return Path(os.path.realpath(path))


def output_faults(outputs: Mapping[str, Path], inputs: Mapping[str, Path] | None = None) -> Iterator[str]:
    """Say which outputs (by option) cannot be written, before any work is done for them.

    An output may be none of `inputs` (by what they are called), nor another output.
    """
    taken = {_identity(path): f"is {what}, which it would replace" for what, path in (inputs or {}).items()}
    for option, path in outputs.items():
        try:
            fault = _fault(path) or taken.get(_identity(path))
        except OSError as error:
            fault = f"cannot be written: {error.strerror}"
        if fault:
            yield f"{option} {path} {fault}"
        taken[_identity(path)] = f"is the file of {option} too; name another one"


def _identity(path: Path) -> object:
    """Return what is the same for all names of one file, hard links included."""
    try:
        found = path.stat()
    except OSError:
        return _target(path)
    return found.st_dev, found.st_ino


def _fault(path: Path) -> str | None:
    target = _target(path)
    if target.is_symlink():
        return "is a link that leads nowhere but to itself"
    if target.is_dir():
        return "is a folder; name a file in it"
    if target.exists() and not target.is_file():
        return "is no regular file but a device, a pipe or a socket; name a file (--json - is standard output)"
    if not target.parent.is_dir():
        return f"cannot be written: there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK):
        return f"cannot be written: the folder {target.parent} cannot be written to"
    return None
