"""Rights of database users as values, and the statements that grant them. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from stack.services.sqlfile import quoted, schema_pattern


class Privilege(StrEnum):
    """A privilege as MySQL spells it."""

    ALL = "ALL PRIVILEGES"
    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    EXECUTE = "EXECUTE"
    CREATE = "CREATE"
    CREATE_VIEW = "CREATE VIEW"
    SHOW_VIEW = "SHOW VIEW"
    LOCK_TABLES = "LOCK TABLES"


class GrantedSchema(Enum):
    """One of the two schemas: what the services work on, and the truth about injected drift."""

    DATA = "data"
    TRUTH = "truth"


@dataclass(frozen=True)
class Grant:
    """Privileges on some tables of a schema, or on a whole schema.

    Attributes:
        privileges: what the user may do.
        tables: the tables; empty for the whole schema.
        schema: the schema.
        revoked: privileges on the same tables that earlier versions granted.
    """

    privileges: tuple[Privilege, ...]
    tables: tuple[str, ...] = ()
    schema: GrantedSchema = GrantedSchema.DATA
    revoked: tuple[Privilege, ...] = ()

    def statements(self, schemas: Mapping[GrantedSchema, str]) -> Iterator[str]:
        """Yield the GRANT statements; the user is bound as `account` and `clients`."""
        for target in self._targets(schemas):
            yield f"GRANT {', '.join(self.privileges)} ON {target} TO %(account)s@%(clients)s"

    def revoking_statements(self, schemas: Mapping[GrantedSchema, str]) -> Iterator[str]:
        """Yield the REVOKE statements for what earlier versions granted; they follow the grants of the same tables."""
        for target in self._targets(schemas) if self.revoked else ():
            yield f"REVOKE {', '.join(self.revoked)} ON {target} FROM %(account)s@%(clients)s"

    def _targets(self, schemas: Mapping[GrantedSchema, str]) -> list[str]:
        name = schemas[self.schema]
        if not self.tables:
            return [f"{quoted(schema_pattern(name))}.*"]
        return [f"{quoted(name)}.{quoted(table)}" for table in self.tables]
