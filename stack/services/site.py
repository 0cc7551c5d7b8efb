"""One var folder with its ports, its passwords, and the external servers that the environment names."""

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
from stack.services.table import SERVICES, with_port

SERVER_PORTS = {"mariadb": 3307, "kafka": 9092, "kafka-controller": 9093}
DEFAULT_PORTS = {**SERVER_PORTS, **{service.name: port for service, port in with_port()}}
DB_FIELDS = tuple(DatabaseSettings.model_fields)
PRIVATE = 0o700
"""The mode of a var folder: its content names people, and no other user of the machine may read it."""
TAG = ".driftline"
"""Marks a var folder as created by Driftline; `make clean` removes no other."""


@dataclass(frozen=True)
class Site:
    """Everything that command lines and environments depend on, read once by `from_environment`.

    `database` is the external server of DB_HOST, `kafka` that of KAFKA_BOOTSTRAP_SERVERS; None is a local one.
    """

    var: Path
    database_name: str
    ports: Mapping[str, int]
    database: DatabaseSettings | None = None
    kafka: str | None = None
    system: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls) -> "Site":
        """Return the site of this process's environment and its var folder."""
        return cls.at(paths.var_folder(), os.environ)

    @classmethod
    def at(cls, var: Path, environment: Mapping[str, str]) -> "Site":
        """Return the site of a var folder and an environment; raises `StackError` if DB_HOST is set without a user.

        What `python -m stack env` exported for this folder's own servers names no external ones.
        """
        ports = read_ports(var)
        is_own = _is_own_account(environment, ports)
        kafka = environment.get("KAFKA_BOOTSTRAP_SERVERS") or None
        return cls(
            var=var,
            database_name=environment.get("DB_NAME") or "RawData",
            ports=ports,
            database=_external_database(environment) if environment.get("DB_HOST") and not is_own else None,
            kafka=None if is_own and kafka == f"127.0.0.1:{ports['kafka']}" else kafka,
            system=dict(environment),
        )

    @classmethod
    def to_stop(cls) -> "Site":
        """Return the site for stopping the local processes, whatever external servers the environment names."""
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
        """The certificate of simulator and monitor, None if they use plain HTTP."""
        path = self.system.get("DRIFTLINE_TLS_CERT")
        return Path(path) if path else None

    @property
    def home(self) -> ProcessHome:
        """The folder that identifies the processes and holds their logs."""
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
        """The settings for Kafka, plain text for a local one; raises `StackError` if they are inconsistent."""
        if self.kafka is None:
            return KafkaSettings.plain(self.bootstrap_servers)
        values = {name: self.system.get(f"KAFKA_{name}".upper()) for name in KafkaSettings.model_fields}
        try:
            return KafkaSettings.model_validate({name: value for name, value in values.items() if value})
        except InvalidInput as error:
            raise StackError(str(error)) from error

    @property
    def is_claimed(self) -> bool:
        """Whether `claim` has marked the var folder."""
        return (self.var / TAG).exists()

    def claim(self) -> None:
        """Create and mark the var folder, and close it to other users of the machine, also one that exists already.

        Raises `ForeignFolder` if it already contains other files.
        """
        if not self.is_claimed and self.var != paths.VAR and self.var.exists() and any(self.var.iterdir()):
            raise ForeignFolder(
                f"{self.var} is not empty and was not created by Driftline; set DRIFTLINE_VAR to an empty folder."
            )
        try:
            self.var.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            self.var.chmod(PRIVATE)
            (self.var / TAG).write_text("Local state of Driftline; `make clean` removes this folder.\n")
        except OSError as error:
            raise StackError(
                f"{self.var} cannot be written to ({error.strerror}); set DRIFTLINE_VAR to a folder of your own."
            ) from error


def _is_own_account(environment: Mapping[str, str], ports: Mapping[str, int]) -> bool:
    """Return whether DB_* name a service's account on the local server, as a shell has them after an earlier `env`."""
    address = environment.get("DB_HOST"), environment.get("DB_PORT")
    accounts = {service.account for service in SERVICES}
    return address == ("127.0.0.1", str(ports["mariadb"])) and environment.get("DB_USER") in accounts


def _external_database(environment: Mapping[str, str]) -> DatabaseSettings:
    values = {name: environment[f"DB_{name.upper()}"] for name in DB_FIELDS if environment.get(f"DB_{name.upper()}")}
    try:
        return DatabaseSettings.model_validate(values)
    except InvalidInput as error:
        raise StackError(f"DB_HOST is set, so that server is used. {error}") from error


def read_ports(var: Path) -> dict[str, int]:
    """Return the ports saved in a var folder, or their defaults."""
    file = var / "ports.json"
    return {**DEFAULT_PORTS, **(json.loads(file.read_text()) if file.exists() else {})}


def write_ports(var: Path, ports: Mapping[str, int]) -> None:
    """Save the ports in a var folder, in one atomic step."""
    staged = var / "ports.json.partial"
    staged.write_text(json.dumps(dict(ports), indent=2) + "\n")
    staged.replace(var / "ports.json")
