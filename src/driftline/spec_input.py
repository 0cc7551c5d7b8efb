"""The spec that a user passes: typed, as a mapping of its fields, or as the path of a YAML file."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec, spec_faults
from driftline.errors import InvalidInput
from driftline.yaml_file import read_yaml

SpecLike = Spec | Mapping[str, Any] | str | PathLike[str]
"""A typed `Spec`, a mapping of its fields, or the path of a YAML file with them."""


def spec_of(spec: SpecLike) -> Spec:
    """Return the typed spec; a column that is a plain name is continuous.

    Raises one InvalidInput that lists every fault of the fields.
    """
    if isinstance(spec, Spec):
        return spec
    fields = fields_of(spec)
    try:
        return Spec.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput("The spec is not valid.", details=tuple(spec_faults(error, fields))) from None


def stored_spec(fields: Mapping[str, Any]) -> Spec:
    """Return a spec from its JSON; the names of columns are not checked, since a backtest accepts any."""
    columns = tuple(
        ColumnSpec.model_construct(
            name=str(column["name"]),
            kind=ColumnKind(column.get("kind", ColumnKind.CONTINUOUS)),
            watched=bool(column.get("watched", True)),
        )
        for column in fields["columns"]
    )
    return spec_of({**fields, "columns": columns})


def fields_of(spec: SpecLike) -> dict[str, Any]:
    """Return the fields of a spec, including the defaults of a typed spec.

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
    """Return the fields in a YAML file; raise InvalidInput for any other content."""
    content = read_yaml(path, f"spec {path}")
    if not isinstance(content or {}, dict):
        msg = f"spec {path} must hold fields such as `minimum_rows: 200`, not {type(content).__name__}"
        raise InvalidInput(msg)
    return {str(name): value for name, value in (content or {}).items()}
