"""Starting and stopping the table of services, in order, as often as one likes."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from churn.migrate import EXAMPLE
from stack import paths
from stack.console import say, step, warn
from stack.errors import ForeignFolder, StartFailed
from stack.locks import alone
from stack.servers import kafka, ports, processes, topics
from stack.servers.own_server import VARIABLE, own_server
from stack.servers.processes import Running
from stack.servers.readiness import wait_until_ready
from stack.services import accounts
from stack.services.environments import environment_for
from stack.services.site import Site, keep_ports
from stack.services.table import MARIADB_SERVICE, SERVERS, SERVICES, Service, sql_server

CACHES = (paths.BUILD / "mypy", paths.TEMPLATES, *(paths.ROOT / f".{name}_cache" for name in ("pytest", "ruff")))


def up(*, any_port: bool = False, services: Sequence[Service] = SERVICES) -> Site:
    """Start what does not run yet, and return the site as it then is.

    With `any_port` every service takes a free port instead of its usual one (for tests).
    Raises `StartFailed`, `NotSetUp`, `PrerequisiteMissing` or `ForeignFolder`, each with its cure.
    """
    site = Site.from_environment()
    site.claim()
    with alone(site.var / "stack.lock"):
        site = choose_ports(site, services, any_port=any_port)
        _start([service for service in services if service in SERVERS], site)
        _provide(site)
        _start([service for service in services if service not in SERVERS], site)
    return site


def down(site: Site) -> None:
    """Stop everything, last started first; the data stays."""
    if not site.is_claimed:
        return
    with alone(site.var / "stack.lock"):
        for service in reversed(SERVICES):
            running = processes.find(site.home, service.name)
            if running:
                _stop(service, running, site)


def clean(site: Site) -> None:
    """Stop everything and remove the var folder, data and passwords included; of the checkout's own, caches too."""
    if site.var.exists() and not site.is_claimed:
        raise ForeignFolder(f"{site.var} is not Driftline's; remove it yourself if you mean it.")
    down(site)
    if site.var.exists():
        shutil.rmtree(site.var)
        say(f"Removed {site.var}")
    for cache in CACHES if site.var == paths.VAR else ():
        shutil.rmtree(cache, ignore_errors=True)


def choose_ports(site: Site, services: Sequence[Service], *, any_port: bool) -> Site:
    """Give every service that does not run yet its kept port, or the next one that is free; keep them."""
    chosen = dict(site.ports)
    for service in services:
        if service.is_ours(site) and not processes.find(site.home, service.name):
            for name in service.ports:
                others = frozenset(port for other, port in chosen.items() if other != name)
                wanted = None if any_port else site.wanted_ports.get(name, chosen[name])
                chosen[name] = _choose_port(service.title, wanted, others)
    keep_ports(site.var, chosen)
    return replace(site, ports=chosen)


def _choose_port(title: str, wanted: int | None, others: frozenset[int]) -> int:
    if wanted is None:
        return ports.any_free(others)
    port = ports.next_free(wanted, others)
    if port != wanted:
        warn(f"Port {wanted} is in use by someone else: {title} takes {port} (kept in var/ports.json).")
    return port


def _start(services: Sequence[Service], site: Site) -> None:
    for service in services:
        if not service.is_ours(site):
            say(f"{service.title}: the one given by the environment")
        elif service is MARIADB_SERVICE and own_server(site.system):
            say(f"{service.title}: {sql_server(site).name} {sql_server(site).version} of {VARIABLE} in its place")
    started = {service.name: _launch(service, site) for service in services if service.is_ours(site)}
    for service in services:
        if service.name in started:
            _await(service, started[service.name], site)


def _launch(service: Service, site: Site) -> Running:
    running = processes.find(site.home, service.name)
    if running and processes.has_environment(running, service.settings(site)):
        return running
    if running:
        _stop(service, running, site)
    service.prepare(site)
    return processes.start(site.home, service.name, service.command(site), service.environment(site), service.folder)


def _await(service: Service, running: Running, site: Site) -> None:
    log = site.home.log(service.name)
    with step(f"{service.title} on {service.address(site)}"):
        wait_until_ready(
            service.title, lambda: service.is_ready(site), running.ended_within, log, service.ready_seconds
        )


def _provide(site: Site) -> None:
    """Schemas, users, tables, rights and topics; repeatable."""
    with step("Schema, users and topics"):
        accounts.create_schemas(site)
        if site.database is None:
            accounts.create_accounts(site)
        _migrate(site)
        if site.database is None:
            accounts.grant(site)
        if site.kafka and not kafka.answers(site.kafka_settings):
            raise StartFailed(
                f"The given Kafka, {site.kafka}, does not answer: check KAFKA_BOOTSTRAP_SERVERS and its other KAFKA_*."
            )
        topics.create_topics(site.kafka_settings)


def _migrate(site: Site) -> None:
    command = (sys.executable, "-m", "churn", "upgrade")
    environment = environment_for("owner", site)
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StartFailed(f"`{EXAMPLE.upgrade_command}` failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _stop(service: Service, running: Running, site: Site) -> None:
    with step(f"{service.title} stopped"):
        in_order = processes.stop(site.home, running, service.stop_seconds)
    if not in_order:
        warn(f"{service.title} did not stop within {service.stop_seconds:.0f} s and was killed.")
