"""What runs on this machine, in starting order: the servers, then the services of the table that listen on a port."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from driftline.errors import Unavailable
from driftline.http.health import is_ready
from driftline.settings import KafkaSettings
from driftline.store.job_lock import JobLock
from stack import paths
from stack.servers import kafka, root_account
from stack.servers.mariadb import MARIADB
from stack.servers.named_server import VARIABLE, named_server
from stack.servers.sqlserver import SqlServer, initialize
from stack.services.environments import base_environment, engine_for, settings_of
from stack.services.service import Service, ServiceWorker
from stack.services.site import Site
from stack.services.table import OWNER, SERVICES, with_port, with_workers


@dataclass(frozen=True)
class LocalProcess:
    """A server or service that `make up` starts; every function receives the site.

    Attributes:
        name: the name of its log and of its mark.
        title: its name for people.
        ports: names in the site's ports; at the first one it listens for clients. A worker has none.
        prepare: creates what it needs before it starts; repeatable.
        command: its command line.
        settings: the variables that it reads; a running process with other values is restarted.
        is_ready: whether it answers.
        external_address: the address of a server that the environment names; then none is started here.
        folder: where it starts.
        ready_seconds, stop_seconds: how long its start and its stop may take.
        request: the command that starts it; None where `make up` does so without being asked.
    """

    name: str
    title: str
    ports: tuple[str, ...]
    prepare: Callable[[Site], None]
    command: Callable[[Site], tuple[str, ...]]
    settings: Callable[[Site], dict[str, str]]
    is_ready: Callable[[Site], bool]
    external_address: Callable[[Site], str | None] = lambda _: None
    folder: Path = paths.ROOT
    ready_seconds: float = 60
    stop_seconds: float = 60
    request: str | None = None

    def is_local(self, site: Site) -> bool:
        """Whether it is started here."""
        return self.external_address(site) is None

    def address(self, site: Site) -> str:
        """Return host and port, nothing for a worker."""
        return f"127.0.0.1:{site.ports[self.ports[0]]}" if self.ports else ""

    def environment(self, site: Site) -> dict[str, str]:
        """Return the environment that it starts with."""
        return {**base_environment(site), **self.settings(site)}


def sql_server(site: Site) -> SqlServer:
    """Return the database server that is started here."""
    return named_server(site.system) or MARIADB


def _sql_data(site: Site) -> Path:
    """Return the data folder; each server version has its own, since no server reads another version's data."""
    server = named_server(site.system)
    return site.var / (f"{server.name}-{server.version}".lower() if server else "mariadb")


def _broker(site: Site) -> kafka.Broker:
    return kafka.Broker(site.var / "kafka", site.ports["kafka"], site.ports["kafka-controller"])


def root_password(site: Site) -> str:
    """Return the password of the local MariaDB's administrator."""
    return site.credentials.password("root")


MARIADB_PROCESS = LocalProcess(
    name="mariadb",
    title="MariaDB",
    ports=("mariadb",),
    prepare=lambda site: initialize(sql_server(site), _sql_data(site)),
    command=lambda site: sql_server(site).serve(_sql_data(site), site.ports["mariadb"]),
    settings=lambda site: {VARIABLE: site.system.get(VARIABLE, ""), **sql_server(site).environment},
    is_ready=lambda site: root_account.answers(site.ports["mariadb"], root_password(site)),
    external_address=lambda site: f"{site.database.host}:{site.database.port}" if site.database else None,
)
KAFKA_PROCESS = LocalProcess(
    name="kafka",
    title="Kafka",
    ports=("kafka", "kafka-controller"),
    prepare=lambda site: kafka.prepare(_broker(site)),
    command=lambda site: kafka.serve_command(_broker(site)),
    settings=lambda _: {},
    is_ready=lambda site: kafka.answers(KafkaSettings.plain(_broker(site).bootstrap_servers)),
    external_address=lambda site: site.kafka,
)


def local_process(service: Service) -> LocalProcess:
    """Return the process of a service that listens on a port."""
    return LocalProcess(
        name=service.name,
        title=service.title,
        ports=(service.name,),
        prepare=lambda _: None,
        command=lambda _: (sys.executable, *service.command),
        settings=lambda site: settings_of(service, site),
        is_ready=lambda site: is_ready(site.ports[service.name], site.certificate),
    )


def worker_process(service: Service, worker: ServiceWorker) -> LocalProcess:
    """Return the process of a worker; it works while it holds its lock of the database."""
    return LocalProcess(
        name=worker.name,
        title=worker.title,
        ports=(),
        prepare=lambda _: None,
        command=lambda _: (sys.executable, *worker.command),
        settings=lambda site: settings_of(service, site),
        is_ready=lambda site: _holds_lock(service, worker, site),
        ready_seconds=120,
        request=f"make up {worker.option}=1",
    )


def _holds_lock(service: Service, worker: ServiceWorker, site: Site) -> bool:
    engine = engine_for(service.name, site)
    try:
        return JobLock(engine, worker.job).is_taken()
    except Unavailable:
        return False
    finally:
        engine.dispose()


SERVERS = (MARIADB_PROCESS, KAFKA_PROCESS)
WORKERS = tuple(worker_process(service, worker) for service, worker in with_workers())


@dataclass(frozen=True)
class Selection:
    """The services that are wanted on this machine, with the servers, tables and database users that they need.

    Attributes:
        services: rows of the table of services.
        starts_services: whether those that listen on a port are started, not their servers alone.
        workers: the processes that are started only on request.
        kafka: whether Kafka is wanted even if none of the services connects to it.
    """

    services: tuple[Service, ...] = SERVICES
    starts_services: bool = True
    workers: tuple[LocalProcess, ...] = ()
    kafka: bool = False

    @classmethod
    def of_roles(cls, roles: Sequence[str], *, kafka: bool = False) -> "Selection":
        """Return the services of some names, and the owner, which creates the tables."""
        return cls((OWNER, *(service for service in SERVICES if service.name in roles)), kafka=kafka)

    @property
    def processes(self) -> tuple[LocalProcess, ...]:
        """The servers and then the services, in starting order; they are stopped in reverse."""
        servers = SERVERS if self.kafka or self.uses_kafka else (MARIADB_PROCESS,)
        services = with_port(self.services) if self.starts_services else ()
        return (*servers, *(local_process(service) for service, _ in services), *self.workers)

    @property
    def uses_kafka(self) -> bool:
        """Whether one of the services connects to Kafka."""
        return any(service.uses_kafka for service in self.services)

    @property
    def uses_example(self) -> bool:
        """Whether one of the services, apart from the owner, needs the tables of the example."""
        return any(service.uses_example for service in self.services if not service.migrates)


ALL_SERVICES = Selection()
PROCESSES = (*ALL_SERVICES.processes, *WORKERS)
