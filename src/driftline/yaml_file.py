"""Reads the YAML files that users write."""

from pathlib import Path
from typing import Any

from driftline.errors import InvalidInput


def read_yaml(path: Path, name: str) -> Any:
    """Return the decoded content of a YAML file; `name` names the file in the message of `InvalidInput`."""
    import yaml  # noqa: PLC0415  (only where there is a file)

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidInput(f"{name} cannot be read: {' '.join(str(error).split())}") from error
