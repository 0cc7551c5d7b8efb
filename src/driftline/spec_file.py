"""The spec that a user passes: typed, as fields, or as the path of a YAML file."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

SpecLike = Spec | Mapping[str, Any] | str | PathLike[str]
"""A typed `Spec`, a mapping of its fields, or the path of a YAML file with them."""


def fields_of(spec: SpecLike) -> dict[str, Any]:
    """Return the fields of a spec; of a typed one all of them, its defaults included.

    Raises InvalidInput for another type and for a file that cannot be read or holds no fields.
    """
    if isinstance(spec, Spec):
        return spec.model_dump()
    if isinstance(spec, Mapping):
        return {str(name): value for name, value in spec.items()}
    if isinstance(spec, str | PathLike):
        return read_spec(Path(spec))
    msg = f"spec must be a driftline.Spec, a mapping of its fields or the path of a YAML file, not {spec!r}"
    raise InvalidInput(msg)


def read_spec(path: Path) -> dict[str, Any]:
    """Return the fields that a YAML file holds; raise InvalidInput for any other content."""
    import yaml  # noqa: PLC0415  (only where there is a file)

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"spec {path} cannot be read: {' '.join(str(error).split())}"
        raise InvalidInput(msg) from error
    if not isinstance(content or {}, dict):
        msg = f"spec {path} must hold fields such as `minimum_rows: 200`, not {type(content).__name__}"
        raise InvalidInput(msg)
    return {str(name): value for name, value in (content or {}).items()}
