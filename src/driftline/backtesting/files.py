"""Output files, written whole or not at all, and the spec file."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from driftline.errors import InvalidInput


def write(contents: Mapping[Path, str]) -> None:
    """Write each text to its file, in UTF-8; a file is there whole or as it was before."""
    written: dict[Path, Path] = {}
    try:
        for path, text in contents.items():
            written[path] = _beside(path, text)
        for path, temporary in written.items():
            temporary.replace(path)
    except OSError as error:
        msg = f"cannot write {error.filename or ''}: {error.strerror}"
        raise InvalidInput(msg) from error
    finally:
        for temporary in written.values():
            with suppress(FileNotFoundError):
                temporary.unlink()


def _beside(path: Path, text: str) -> Path:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".driftline-", delete=False
    ) as file:
        file.write(text)
    umask = os.umask(0)
    os.umask(umask)
    Path(file.name).chmod(0o666 & ~umask)
    return Path(file.name)


def output_faults(paths: Mapping[str, Path | None]) -> Iterator[str]:
    """Say which outputs (by option) cannot be written, before any work is done for them."""
    for option, path in paths.items():
        if path is None:
            continue
        if path.is_dir():
            yield f"{option} {path} is a folder; name a file in it"
        elif not path.parent.is_dir():
            yield f"{option} {path}: there is no folder {path.parent}"
        elif not os.access(path.parent, os.W_OK):
            yield f"{option} {path}: the folder {path.parent} cannot be written to"


def read_spec(path: Path) -> dict[str, Any]:
    """Read a spec.yaml: fields of `driftline.engine.spec.ModelSpec`. Any other content is an InvalidInput."""
    import yaml  # noqa: PLC0415  (only where there is a spec)

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"spec {path} cannot be read: {' '.join(str(error).split())}"
        raise InvalidInput(msg) from error
    if not isinstance(content or {}, dict):
        msg = f"spec {path} must hold fields such as `minimum_rows: 200`, not {type(content).__name__}"
        raise InvalidInput(msg)
    return {str(name): value for name, value in (content or {}).items()}
