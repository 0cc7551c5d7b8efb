"""Migrated schemas: Alembic migrates one on each server, and its statements are repeated for all others."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE")
"""What a statement that changes a schema begins with."""


@dataclass(frozen=True)
class Recording:
    """The statements that migrated a schema, each with its parameters, and the schema's name."""

    schema: str
    statements: tuple[tuple[str, Any], ...]


_recordings: dict[tuple[str, str, int], Recording] = {}


def migrate_schema(engine: Engine, upgrade: Callable[[Engine], None]) -> None:
    """Migrate an empty schema as `upgrade` does, in a tenth of its time from the second schema of a server on."""
    key = (upgrade.__module__, str(engine.url.host), int(engine.url.port or 0))
    if key in _recordings:
        _repeat(engine, _recordings[key])
    else:
        _recordings[key] = _record(engine, upgrade)


def _record(engine: Engine, upgrade: Callable[[Engine], None]) -> Recording:
    statements: list[tuple[str, Any]] = []

    def note(_: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        assert not many, f"a statement of many rows is not repeated: {statement}"
        if statement.lstrip().upper().startswith(CHANGES):
            statements.append((statement, parameters or None))

    event.listen(engine, "before_cursor_execute", note)
    upgrade(engine)
    event.remove(engine, "before_cursor_execute", note)
    return Recording(str(engine.url.database), tuple(statements))


def _repeat(engine: Engine, recording: Recording) -> None:
    with engine.begin() as connection, closing(connection.connection.cursor()) as cursor:
        for statement, parameters in recording.statements:
            cursor.execute(statement.replace(recording.schema, str(engine.url.database)), parameters)
