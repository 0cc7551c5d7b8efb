"""Starting and stopping the table of services, in order, as often as one likes."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

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
from stack.services.local import MARIADB_PROCESS, PROCESSES, SERVERS, LocalProcess, sql_server
from stack.services.site import Site, keep_ports

CACHES = (paths.BUILD / "mypy", paths.TEMPLATES, *(paths.ROOT / f".{name}_cache" for name in ("pytest", "ruff")))


def up(*, any_port: bool = False, selection: Sequence[LocalProcess] = PROCESSES) -> Site:
    """Start what does not run yet, and return the site as it then is.

    With `any_port` every process takes a free port instead of its default (for tests).
    Raises `StartFailed`, `NotSetUp`, `PrerequisiteMissing` or `ForeignFolder`, each with its cure.
    """
    site = Site.from_environment()
    site.claim()
    with alone(site.var / "stack.lock"):
        site = choose_ports(site, selection, any_port=any_port)
        _start([process for process in selection if process in SERVERS], site)
        _provide(site)
        _start([process for process in selection if process not in SERVERS], site)
    return site


def down(site: Site) -> None:
    """Stop everything, last started first; the data stays."""
    if not site.is_claimed:
        return
    with alone(site.var / "stack.lock"):
        for process in reversed(PROCESSES):
            running = processes.find(site.home, process.name)
            if running:
                _stop(process, running, site)


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


def choose_ports(site: Site, selection: Sequence[LocalProcess], *, any_port: bool) -> Site:
    """Give every service that does not run yet its kept port, or the next one that is free; keep them."""
    chosen = dict(site.ports)
    for process in selection:
        if process.is_local(site) and not processes.find(site.home, process.name):
            for name in process.ports:
                others = frozenset(port for other, port in chosen.items() if other != name)
                wanted = None if any_port else site.wanted_ports.get(name, chosen[name])
                chosen[name] = _choose_port(process.title, wanted, others)
    keep_ports(site.var, chosen)
    return replace(site, ports=chosen)


def _choose_port(title: str, wanted: int | None, others: frozenset[int]) -> int:
    if wanted is None:
        return ports.any_free(others)
    port = ports.next_free(wanted, others)
    if port != wanted:
        warn(f"Port {wanted} is in use by someone else: {title} takes {port} (kept in var/ports.json).")
    return port


def _start(selection: Sequence[LocalProcess], site: Site) -> None:
    for process in selection:
        if not process.is_local(site):
            say(f"{process.title}: the one given by the environment")
        elif process is MARIADB_PROCESS and own_server(site.system):
            say(f"{process.title}: {sql_server(site).name} {sql_server(site).version} of {VARIABLE} in its place")
    started = {process.name: _launch(process, site) for process in selection if process.is_local(site)}
    for process in selection:
        if process.name in started:
            _await(process, started[process.name], site)


def _launch(process: LocalProcess, site: Site) -> Running:
    running = processes.find(site.home, process.name)
    if running and processes.has_environment(running, process.settings(site)):
        return running
    if running:
        _stop(process, running, site)
    process.prepare(site)
    return processes.start(site.home, process.name, process.command(site), process.environment(site), process.folder)


def _await(process: LocalProcess, running: Running, site: Site) -> None:
    log = site.home.log(process.name)
    with step(f"{process.title} on {process.address(site)}"):
        wait_until_ready(
            process.title, lambda: process.is_ready(site), running.ended_within, log, process.ready_seconds
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
    command = (str(Path(sys.executable).with_name("driftline")), "db", "upgrade")
    environment = environment_for("owner", site)
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StartFailed(f"`driftline db upgrade` failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _stop(process: LocalProcess, running: Running, site: Site) -> None:
    with step(f"{process.title} stopped"):
        in_order = processes.stop(site.home, running, process.stop_seconds)
    if not in_order:
        warn(f"{process.title} did not stop within {process.stop_seconds:.0f} s and was killed.")
