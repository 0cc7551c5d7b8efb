"""Writes output files, all or none of them."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from driftline.errors import InvalidInput

Content = str | Callable[[Path], None]
"""The content of a file: a text, or a function that writes it to a path."""


def write(contents: Mapping[Path, Content]) -> None:
    """Write each content to its file, texts in UTF-8; each file is replaced as a whole or left unchanged.

    A symbolic link is followed. Anything but a regular file raises InvalidInput.
    """
    faults = tuple(output_faults({f"output {number}": path for number, path in enumerate(contents, 1)}))
    if faults:
        raise InvalidInput("The files cannot be written.", details=faults)
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with _temporary_file(_target(path)) as file:
                written[_target(path)] = Path(file.name)
                if isinstance(content, str):
                    file.write(content)
            if not isinstance(content, str):
                content(written[_target(path)])
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


def _temporary_file(target: Path) -> IO[str]:
    """Open a temporary file in the folder of the target, so that it can replace the target."""
    return tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=".driftline-", delete=False)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _target(path: Path) -> Path:
    """Return the path behind symbolic links, which need not exist; of circular links, one of them."""
    return Path(os.path.realpath(path))


def output_faults(outputs: Mapping[str, Path], inputs: Mapping[str, Path] | None = None) -> Iterator[str]:
    """Yield the faults of outputs (by option) that cannot be written, so that no work is wasted.

    An output must differ from all `inputs` (by description) and from every other output.
    """
    conflicts = {_identity(path): f"is {name}, which it would replace" for name, path in (inputs or {}).items()}
    for option, path in outputs.items():
        try:
            fault = _fault(path) or conflicts.get(_identity(path))
        except OSError as error:
            fault = f"cannot be written: {error.strerror}"
        if fault:
            yield f"{option} {path} {fault}"
        conflicts[_identity(path)] = f"is the file of {option} too; name another one"


def _identity(path: Path) -> object:
    """Return a value that is equal for all paths of a file, including hard links."""
    try:
        status = path.stat()
    except OSError:
        return _target(path)
    return status.st_dev, status.st_ino


def _fault(path: Path) -> str | None:
    """Return why a path cannot be written, else None."""
    target = _target(path)
    if target.is_symlink():
        return "is a symbolic link that refers to itself; name a file"
    if target.is_dir():
        return "is a folder; name a file in it"
    if target.exists() and not target.is_file():
        return "is not a regular file but a device, a pipe or a socket; name a file (--json - is standard output)"
    if not target.parent.is_dir():
        return f"cannot be written: there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK):
        return f"cannot be written: the folder {target.parent} cannot be written to"
    return None
