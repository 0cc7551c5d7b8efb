"""One var folder and what it is set to: ports, passwords, and servers given by the environment instead of started."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings, KafkaSettings
from stack import paths
from stack.errors import ForeignFolder, StackError
from stack.servers.processes import ProcessHome
from stack.services.credentials import Credentials
from stack.services.table import with_port

SERVER_PORTS = {"mariadb": 3307, "kafka": 9092, "kafka-controller": 9093}
DEFAULT_PORTS = {**SERVER_PORTS, **{service.name: port for service, port in with_port()}}
DB_FIELDS = tuple(DatabaseSettings.model_fields)
TAG = ".driftline"
"""Marks a var folder as Driftline's own: `make clean` removes no other."""


@dataclass(frozen=True)
class Site:
    """Everything that command lines and environments are made from, read once by `from_environment`.

    `database` is the address given by DB_HOST, `kafka` by KAFKA_BOOTSTRAP_SERVERS; None is a server of our own.
    """

    var: Path
    database_name: str
    ports: Mapping[str, int]
    database: DatabaseSettings | None = None
    kafka: str | None = None
    system: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls) -> "Site":
        """The site that this process's environment and its var folder describe."""
        return cls.at(paths.var_folder(), os.environ)

    @classmethod
    def at(cls, var: Path, environment: Mapping[str, str]) -> "Site":
        """The site of a var folder under an environment; raises `StackError` if DB_HOST is set and its user is not."""
        return cls(
            var=var,
            database_name=environment.get("DB_NAME") or "RawData",
            ports=read_ports(var),
            database=_given_database(environment) if environment.get("DB_HOST") else None,
            kafka=environment.get("KAFKA_BOOTSTRAP_SERVERS") or None,
            system=dict(environment),
        )

    @classmethod
    def to_stop(cls) -> "Site":
        """The site as far as it takes to stop what is ours: whatever else the environment gives, rightly or not."""
        return cls.at(paths.var_folder(), {})

    @property
    def requested_ports(self) -> dict[str, int]:
        """Ports that variables like MONITOR_PORT set; raises `StackError` if one is not a number."""
        variables = {service.name: service.port_variable for service, _ in with_port()}
        values = {name: self.system.get(variable) for name, variable in variables.items()}
        try:
            return {name: int(value) for name, value in values.items() if value}
        except ValueError as error:
            raise StackError(f"{' and '.join(variables.values())} must be numbers; correct or unset them.") from error

    @property
    def certificate(self) -> Path | None:
        """The certificate that simulator and monitor show, None where they speak plain HTTP."""
        named = self.system.get("DRIFTLINE_TLS_CERT")
        return Path(named) if named else None

    @property
    def home(self) -> ProcessHome:
        """Where processes and logs belong."""
        return ProcessHome(self.var)

    @property
    def credentials(self) -> Credentials:
        """The generated passwords."""
        return Credentials(self.var / "secrets")

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return self.kafka or f"127.0.0.1:{self.ports['kafka']}"

    @property
    def kafka_settings(self) -> KafkaSettings:
        """How to reach Kafka: ours in plain text; raises `StackError` if a given one's settings do not fit."""
        if self.kafka is None:
            return KafkaSettings.plain(self.bootstrap_servers)
        given = {name: self.system.get(f"KAFKA_{name}".upper()) for name in KafkaSettings.model_fields}
        try:
            return KafkaSettings.model_validate({name: value for name, value in given.items() if value})
        except InvalidInput as error:
            raise StackError(str(error)) from error

    @property
    def truth_name(self) -> str:
        """The schema of what was injected."""
        return f"{self.database_name}_truth"

    @property
    def is_claimed(self) -> bool:
        """Whether the var folder is ours: made by `claim`."""
        return (self.var / TAG).exists()

    def claim(self) -> None:
        """Make the var folder ours; raises `ForeignFolder` if it holds something else already."""
        if self.is_claimed:
            return
        if self.var != paths.VAR and self.var.exists() and any(self.var.iterdir()):
            raise ForeignFolder(
                f"{self.var} is not empty and not Driftline's; set DRIFTLINE_VAR to a folder of its own."
            )
        self.var.mkdir(parents=True, exist_ok=True)
        (self.var / TAG).write_text("Local state of Driftline; `make clean` removes this folder.\n")


def _given_database(environment: Mapping[str, str]) -> DatabaseSettings:
    given = {name: environment[f"DB_{name.upper()}"] for name in DB_FIELDS if environment.get(f"DB_{name.upper()}")}
    try:
        return DatabaseSettings.model_validate(given)
    except InvalidInput as error:
        raise StackError(f"DB_HOST is set, so that server is used. {error}") from error


def read_ports(var: Path) -> dict[str, int]:
    """The ports of a var folder: the default where none is kept yet."""
    kept = var / "ports.json"
    return {**DEFAULT_PORTS, **(json.loads(kept.read_text()) if kept.exists() else {})}


def write_ports(var: Path, ports: Mapping[str, int]) -> None:
    """Keep the ports of a var folder, whole or not at all."""
    staged = var / "ports.json.partial"
    staged.write_text(json.dumps(dict(ports), indent=2) + "\n")
    staged.replace(var / "ports.json")
