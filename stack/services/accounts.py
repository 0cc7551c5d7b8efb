"""Schemas, users and rights on the local server; on an external server its administrator decides."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymysql.constants import ER
from pymysql.err import OperationalError

from churn.truth import truth_schema
from driftline.settings import DatabaseSettings
from driftline.store.connection import Connection
from driftline.store.database import tls_context
from stack.errors import StartFailed
from stack.servers import root_account
from stack.services.grants import GrantedSchema
from stack.services.local import root_password
from stack.services.service import Service
from stack.services.site import Site
from stack.services.sqlfile import statements
from stack.services.table import SERVICES

ACCOUNTS = tuple(service.account for service in SERVICES)
SCHEMAS, USER = (Path(__file__).with_name(f"{name}.sql") for name in ("schemas", "accounts"))


@dataclass(frozen=True)
class Administration:
    """Creates schemas, users and rights on a server.

    Attributes:
        connect: connects as the server's administrator.
        database_name: the schema that the services work on.
        clients: where the users connect from: a host as in `user@host`.
        password: returns the password of an account; without it no user can be created.
        services: the services whose users and rights these are.
    """

    connect: Callable[[], Connection]
    database_name: str
    clients: str = "localhost"
    password: Callable[[str], str] | None = None
    services: Sequence[Service] = SERVICES

    def create_schemas(self) -> None:
        """Create the two schemas if they are missing."""
        names = {"database": (self._schemas[GrantedSchema.DATA],), "truth": (self._schemas[GrantedSchema.TRUTH],)}
        self._execute((statement, {}) for statement in statements(SCHEMAS, names))

    def create_accounts(self) -> None:
        """Create each service's user, set its password, and grant the rights of those who migrate."""
        self._execute(
            (statement, values) for values in map(self._values, self.services) for statement in statements(USER, {})
        )
        self._grant([service for service in self.services if service.migrates])

    def grant(self) -> None:
        """Grant each user its rights; the tables exist.

        What earlier versions granted is revoked last, so that a running service always has what it needs.
        """
        self._grant([service for service in self.services if not service.migrates])

    @property
    def _schemas(self) -> dict[GrantedSchema, str]:
        return {GrantedSchema.DATA: self.database_name, GrantedSchema.TRUTH: truth_schema(self.database_name)}

    def _grant(self, services: Sequence[Service]) -> None:
        grants = [(grant, self._values(service)) for service in services for grant in service.grants]
        self._execute((text, values) for grant, values in grants for text in grant.statements(self._schemas))
        self._execute((text, values) for grant, values in grants for text in grant.revoking_statements(self._schemas))

    def _values(self, service: Service) -> dict[str, str]:
        password = {"password": self.password(service.account)} if self.password else {}
        return {"account": service.account, "clients": self.clients, **password}

    def _execute(self, bound_statements: Iterable[tuple[str, dict[str, str]]]) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            for statement, values in bound_statements:
                cursor.execute(statement, values or None)


def create_schemas(site: Site) -> None:
    """Create the two schemas; on an external server only if its user may, else its administrator must."""
    try:
        _of(site).create_schemas()
    except OperationalError as error:
        if site.database is None or error.args[0] != ER.DBACCESS_DENIED_ERROR:
            raise


def create_accounts(site: Site, services: Sequence[Service]) -> None:
    """Create the users of the services with the passwords of the var folder."""
    _of(site, services).create_accounts()


def grant(site: Site, services: Sequence[Service]) -> None:
    """Grant the user of each service its rights; the tables exist."""
    _of(site, services).grant()


def _of(site: Site, services: Sequence[Service] = SERVICES) -> Administration:
    password = None if site.database else site.credentials.password
    return Administration(lambda: _administrator(site), site.database_name, password=password, services=services)


def _administrator(site: Site) -> Connection:
    """Connect as root of the local server, or as DB_USER of the external one; raises `StartFailed` if that fails."""
    if site.database is None:
        return root_account.connect(site.ports["mariadb"], root_password(site))
    server = site.database
    try:
        return connected(server)
    except OperationalError as error:
        denied = error.args[0] == ER.ACCESS_DENIED_ERROR
        why = "refuses DB_USER and DB_PASSWORD" if denied else "cannot be reached: check DB_HOST and DB_PORT"
        raise StartFailed(
            f"The external server, {server.host}:{server.port}, {why}. Its answer: {error.args[1]}"
        ) from error


def connected(settings: DatabaseSettings) -> Connection:
    """Connect as the user of the settings; every statement is its own transaction."""
    return Connection(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        autocommit=True,
        ssl=tls_context(settings),
    )
