"""Starts and stops the local servers and services in order; every function can be repeated."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from churn.migrate import EXAMPLE
from driftline.store.migrate import LIBRARY
from stack import paths
from stack.console import print_line, print_warning, step
from stack.errors import ForeignFolder, StartFailed
from stack.locks import exclusive_lock
from stack.servers import kafka, ports, processes, topics
from stack.servers.named_server import VARIABLE, named_server
from stack.servers.processes import RunningProcess
from stack.servers.readiness import wait_until_ready
from stack.services import accounts
from stack.services.environments import environment_for
from stack.services.local import (
    ALL_SERVICES,
    MARIADB_PROCESS,
    PROCESSES,
    SERVERS,
    LocalProcess,
    Selection,
    sql_server,
)
from stack.services.site import Site, write_ports
from stack.supervision import control
from stack.supervision.supervisor import ProcessCommand, lock_of

EXAMPLES = "examples"
"""The folder in var/ of the examples, which have processes and a stack of their own."""
PROCESSES_FOLDER, STACK_FOLDER = "processes", "stack"
"""The folders of processes and of the stack in that folder, or in one of `--var`."""
CACHES = (paths.BUILD / "mypy", paths.TEMPLATES, *(paths.ROOT / f".{name}_cache" for name in ("pytest", "ruff")))


def up(*, any_port: bool = False, selection: Selection = ALL_SERVICES) -> Site:
    """Start what a selection needs and does not run yet, and return the site as it then is.

    With `any_port` every process takes a free port instead of its default (for tests).
    Raises `StartFailed`, `NotSetUp`, `PrerequisiteMissing` or `ForeignFolder`, each with its cure.
    """
    site = Site.from_environment()
    site.claim()
    with exclusive_lock(lock_of(site.home)):
        site = choose_ports(site, selection.processes, any_port=any_port)
        _start([process for process in selection.processes if process in SERVERS], site)
        _provide(site, selection)
        _start([process for process in selection.processes if process not in SERVERS], site)
    return site


def down(site: Site) -> None:
    """Stop everything in reverse order, and the supervisor last; the data stays."""
    if not site.is_claimed:
        return
    with exclusive_lock(lock_of(site.home)):
        for process in reversed(PROCESSES):
            running = processes.find(site.home, process.name)
            if running:
                _stop(process, running, site)
        control.stop_supervisor(site.home)


def clean(site: Site) -> None:
    """Stop everything, the examples too, and remove the var folder with data and passwords.

    For the checkout's own folder, which may have examples only, also remove the caches.
    """
    if site.var.exists() and not site.is_claimed and not _has_examples_only(site.var):
        raise ForeignFolder(f"{site.var} was not created by Driftline; remove it yourself if nothing in it is needed.")
    stop_examples(site.var / EXAMPLES)
    down(site)
    if site.var.exists():
        shutil.rmtree(site.var)
        print_line(f"Removed {site.var}")
    for cache in CACHES if site.var == paths.VAR else ():
        shutil.rmtree(cache, ignore_errors=True)


def _has_examples_only(var: Path) -> bool:
    return var == paths.VAR and [path.name for path in var.iterdir()] == [EXAMPLES]


def stop_examples(folder: Path) -> None:
    """Stop what runs in the folder of the examples, by their own command, since nothing imports an example."""
    background = folder / PROCESSES_FOLDER
    if background.exists():
        command = (sys.executable, "-m", "examples.processes", str(background))
        with step("Examples stopped"):
            subprocess.run(command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, check=True)
    down(Site.at(folder / STACK_FOLDER, {}))


def has_examples(folder: Path) -> bool:
    """Return whether examples have run with a folder."""
    return any((folder / name).is_dir() for name in (PROCESSES_FOLDER, STACK_FOLDER))


def choose_ports(site: Site, processes_to_start: Sequence[LocalProcess], *, any_port: bool) -> Site:
    """Choose the ports of the processes that do not run yet and save them: the saved ones if they are free."""
    chosen_ports = dict(site.ports)
    for process in processes_to_start:
        if process.is_local(site) and not processes.find(site.home, process.name):
            for name in process.ports:
                taken_ports = frozenset(port for other_name, port in chosen_ports.items() if other_name != name)
                preferred = None if any_port else site.requested_ports.get(name, chosen_ports[name])
                chosen_ports[name] = _choose_port(process.title, preferred, taken_ports)
    write_ports(site.var, chosen_ports)
    return replace(site, ports=chosen_ports)


def _choose_port(title: str, preferred: int | None, taken_ports: frozenset[int]) -> int:
    if preferred is None:
        return ports.any_free(taken_ports)
    port = ports.next_free(preferred, taken_ports)
    if port != preferred:
        print_warning(f"Port {preferred} is in use: {title} uses {port} instead (saved in var/ports.json).")
    return port


def _start(selection: Sequence[LocalProcess], site: Site) -> None:
    """Start the local ones among some processes, all at once; each is supervised once it is ready."""
    for process in selection:
        if not process.is_local(site):
            print_line(f"{process.title}: external, from the environment")
        elif process is MARIADB_PROCESS and named_server(site.system):
            print_line(
                f"{process.title}: {sql_server(site).name} {sql_server(site).version} of {VARIABLE} in its place"
            )
    started = {process.name: _launch(process, site) for process in selection if process.is_local(site)}
    for process in selection:
        if process.name in started:
            _await(process, started[process.name], site)
            control.watch(site.home, _command(process, site))


def _launch(process: LocalProcess, site: Site) -> RunningProcess:
    running = processes.find(site.home, process.name)
    if running and processes.has_environment(running, process.settings(site)):
        return running
    if running:
        control.forget(site.home, process.name)
        _stop(process, running, site)
    process.prepare(site)
    return control.start(site.home, _command(process, site))


def _command(process: LocalProcess, site: Site) -> ProcessCommand:
    environment = process.environment(site)
    return ProcessCommand(process.name, process.command(site), environment, str(process.folder))


def _await(process: LocalProcess, running: RunningProcess, site: Site) -> None:
    log = site.home.log(process.name)
    place = f" on {process.address(site)}" if process.ports else ""
    with step(f"{process.title}{place}"):
        wait_until_ready(
            process.title, lambda: process.is_ready(site), running.ended_within, log, process.ready_seconds
        )


def _provide(site: Site, selection: Selection) -> None:
    """Create the schemas, users, tables, rights and topics that are missing."""
    with step("Schema, users and topics" if selection.uses_kafka else "Schema and users"):
        accounts.create_schemas(site)
        if site.database is None:
            accounts.create_accounts(site, selection.services)
        _migrate(site, selection)
        if site.database is None:
            accounts.grant(site, selection.services)
        if not selection.uses_kafka:
            return
        if site.kafka and not kafka.answers(site.kafka_settings):
            raise StartFailed(f"The external Kafka, {site.kafka}, does not answer: check the KAFKA_* variables.")
        topics.create_topics(site.kafka_settings)


def _migrate(site: Site, selection: Selection) -> None:
    """Create or upgrade the tables; those of the example only if one of the services needs them."""
    command: tuple[str, ...] = (sys.executable, "-m", "churn", "upgrade")
    migrations = EXAMPLE
    if not selection.uses_example:
        command = (str(Path(sys.executable).with_name("driftline")), "db", "upgrade")
        migrations = LIBRARY
    environment = environment_for("owner", site)
    completed = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise StartFailed(f"`{migrations.upgrade_command}` failed:\n{(completed.stdout + completed.stderr)[-2000:]}")


def _stop(process: LocalProcess, running: RunningProcess, site: Site) -> None:
    with step(f"{process.title} stopped"):
        stopped_by_sigterm = processes.stop(site.home, running, process.stop_seconds)
    if not stopped_by_sigterm:
        print_warning(f"{process.title} did not stop within {process.stop_seconds:.0f} s and was killed.")
