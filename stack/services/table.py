"""The one table of what runs: for each server and service its command line, environment, readiness and ports."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from driftline.http.health import is_ready
from driftline.settings import KafkaSettings
from stack import paths
from stack.servers import kafka, root_account
from stack.servers.mariadb import MARIADB
from stack.servers.own_server import VARIABLE, own_server
from stack.servers.sqlserver import SqlServer, initialise
from stack.services.environments import base_environment, settings_for
from stack.services.site import Site


@dataclass(frozen=True)
class Service:
    """One row of the table; every function is given the site.

    `settings` are the variables that it reads: a running process with others is started anew.
    `ports` are names in the site's ports, the first one being where it listens for people.
    `given` is the address of one that the environment names: then none is started here.
    """

    name: str
    title: str
    ports: tuple[str, ...]
    prepare: Callable[[Site], None]
    command: Callable[[Site], tuple[str, ...]]
    settings: Callable[[Site], dict[str, str]]
    is_ready: Callable[[Site], bool]
    given: Callable[[Site], str | None] = lambda _: None
    folder: Path = paths.ROOT
    ready_seconds: float = 60
    stop_seconds: float = 60

    def is_ours(self, site: Site) -> bool:
        """Whether it is started here."""
        return self.given(site) is None

    def address(self, site: Site) -> str:
        """Host and port."""
        return f"127.0.0.1:{site.ports[self.ports[0]]}"

    def environment(self, site: Site) -> dict[str, str]:
        """The least environment that it runs with."""
        return {**base_environment(site), **self.settings(site)}


def sql_server(site: Site) -> SqlServer:
    """The database server that is started here."""
    return own_server(site.system) or MARIADB


def _sql_data(site: Site) -> Path:
    """The data folder; a server of the user's own has another, since no server reads an older or newer one's."""
    own = own_server(site.system)
    return site.var / (f"{own.name}-{own.version}".lower() if own else "mariadb")


def _broker(site: Site) -> kafka.Broker:
    return kafka.Broker(site.var / "kafka", site.ports["kafka"], site.ports["kafka-controller"])


def _http_ready(name: str) -> Callable[[Site], bool]:
    return lambda site: is_ready(site.ports[name], site.certificate)


def root_password(site: Site) -> str:
    """The password of our own MariaDB's administrator."""
    return site.credentials.password("root")


MARIADB_SERVICE = Service(
    name="mariadb",
    title="MariaDB",
    ports=("mariadb",),
    prepare=lambda site: initialise(sql_server(site), _sql_data(site)),
    command=lambda site: sql_server(site).serve(_sql_data(site), site.ports["mariadb"]),
    settings=lambda site: {VARIABLE: site.system.get(VARIABLE, ""), **sql_server(site).environment},
    is_ready=lambda site: root_account.answers(site.ports["mariadb"], root_password(site)),
    given=lambda site: f"{site.database.host}:{site.database.port}" if site.database else None,
)
KAFKA_SERVICE = Service(
    name="kafka",
    title="Kafka",
    ports=("kafka", "kafka-controller"),
    prepare=lambda site: kafka.prepare(_broker(site)),
    command=lambda site: kafka.serve_command(_broker(site)),
    settings=lambda _: {},
    is_ready=lambda site: kafka.answers(KafkaSettings.plain(_broker(site).bootstrap_servers)),
    given=lambda site: site.kafka,
)
SIMULATOR_SERVICE = Service(
    name="simulator",
    title="Simulator",
    ports=("simulator",),
    prepare=lambda _: None,
    command=lambda _: (sys.executable, "-m", "flaskapp"),
    settings=lambda site: settings_for("simulator", site),
    is_ready=_http_ready("simulator"),
)
MONITOR_SERVICE = Service(
    name="monitor",
    title="Monitor",
    ports=("monitor",),
    prepare=lambda _: None,
    command=lambda _: (sys.executable, "-m", "monitoring"),
    settings=lambda site: settings_for("monitor", site),
    is_ready=_http_ready("monitor"),
)

SERVERS = (MARIADB_SERVICE, KAFKA_SERVICE)
SERVICES = (*SERVERS, SIMULATOR_SERVICE, MONITOR_SERVICE)
"""In starting order; stopped the other way round."""
