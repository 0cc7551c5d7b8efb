"""The state of the local servers and services."""

import os
from collections.abc import Sequence

from rich.table import Table

from stack.errors import StackError
from stack.servers import processes
from stack.services.local import PROCESSES, LocalProcess
from stack.services.site import Site


def state_of(process: LocalProcess, site: Site) -> str:
    """Return `external` (set in the environment), `stopped`, `running` or `not answering`."""
    if not process.is_local(site):
        return "external"
    if processes.find(site.home, process.name) is None:
        return "stopped"
    return "running" if process.is_ready(site) else "not answering"


def table_of(states: dict[str, str], site: Site) -> Table:
    """Return the table of states that `make status` prints."""
    table = Table("service", "state", "pid", "address", "log", box=None, header_style="bold")
    for process in PROCESSES:
        running = processes.find(site.home, process.name)
        address = process.external_address(site) or process.address(site)
        log = site.home.log(process.name)
        log_path = os.path.relpath(log) if log.exists() else ""
        table.add_row(process.title, states[process.name], str(running.pid) if running else "", address, log_path)
    return table


def states_of(site: Site) -> dict[str, str]:
    """Return the state of every process by its name."""
    return {process.name: state_of(process, site) for process in PROCESSES}


def logs_of(names: Sequence[str], site: Site) -> list[str]:
    """Return the log files of the named processes, by default of all; raises `StackError` if there are none."""
    selected = [process.name for process in PROCESSES if not names or process.name in names]
    files = [str(site.home.log(name)) for name in selected if site.home.log(name).exists()]
    if not files:
        raise StackError("There are no logs yet; start the stack with `make up`.")
    return files
