"""What runs, where, and whether it answers."""

import os
from collections.abc import Sequence

from rich.table import Table

from stack.errors import StackError
from stack.servers import processes
from stack.services.site import Site
from stack.services.table import SERVICES, Service


def state_of(service: Service, site: Site) -> str:
    """`given` by the environment, `stopped`, `running`, or `not answering`."""
    if not service.is_ours(site):
        return "given"
    if processes.find(site.home, service.name) is None:
        return "stopped"
    return "running" if service.is_ready(site) else "not answering"


def table_of(states: dict[str, str], site: Site) -> Table:
    """The states for people."""
    table = Table("service", "state", "pid", "address", "log", box=None, header_style="bold")
    for service in SERVICES:
        running = processes.find(site.home, service.name)
        address = service.given(site) or service.address(site)
        log = site.home.log(service.name)
        shown = (os.path.relpath(log) if log.exists() else "",)
        table.add_row(service.title, states[service.name], str(running.pid) if running else "", address, *shown)
    return table


def states_of(site: Site) -> dict[str, str]:
    """The state of every service by its name."""
    return {service.name: state_of(service, site) for service in SERVICES}


def logs_of(names: Sequence[str], site: Site) -> list[str]:
    """The log files of the named services, of all by default; raises `StackError` if there are none yet."""
    chosen = [service.name for service in SERVICES if not names or service.name in names]
    files = [str(site.home.log(name)) for name in chosen if site.home.log(name).exists()]
    if not files:
        raise StackError("There are no logs yet; start the stack with `make up`.")
    return files
