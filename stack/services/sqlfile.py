"""SQL from named files: `:name` stands for an identifier, quoted here; values are %(name)s, bound by the driver."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

IDENTIFIER = re.compile(r":(\w+)")


def quoted(name: str) -> str:
    """An identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def schema_pattern(name: str) -> str:
    """A schema's name where GRANT reads a pattern: there _ and % stand for any character unless escaped."""
    return re.sub(r"([_%\\])", r"\\\1", name)


def statements(path: Path, identifiers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The file's statements; one whose identifier has several names comes once for each.

    Raises `KeyError` for an identifier that is not given.
    """
    for statement in _split(path.read_text()):
        names = sorted(set(IDENTIFIER.findall(statement)))
        for chosen in itertools.product(*(identifiers[name] for name in names)):
            yield _filled(statement, dict(zip(names, chosen, strict=True)))


def _filled(statement: str, names: Mapping[str, str]) -> str:
    return IDENTIFIER.sub(lambda match: quoted(names[match[1]]), statement)


def _split(text: str) -> Iterator[str]:
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return (statement.strip() for statement in code.split(";") if statement.strip())
