"""SQL from named files: `:name` is an identifier, quoted here; %(name)s is a value, bound by the driver."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

IDENTIFIER = re.compile(r":(\w+)")


def quoted(name: str) -> str:
    """Return an identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def schema_pattern(name: str) -> str:
    """Return a schema's name as a pattern for GRANT, in which _ and % are escaped."""
    return re.sub(r"([_%\\])", r"\\\1", name)


def statements(path: Path, identifiers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield the statements of a file; a statement with an identifier of several names once for each name.

    Raises `KeyError` for an identifier without a name.
    """
    for statement in _split(path.read_text()):
        names = sorted(set(IDENTIFIER.findall(statement)))
        for combination in itertools.product(*(identifiers[name] for name in names)):
            yield _filled(statement, dict(zip(names, combination, strict=True)))


def _filled(statement: str, names: Mapping[str, str]) -> str:
    return IDENTIFIER.sub(lambda match: quoted(names[match[1]]), statement)


def _split(text: str) -> Iterator[str]:
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return (statement.strip() for statement in code.split(";") if statement.strip())
