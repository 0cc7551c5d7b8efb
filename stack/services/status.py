"""What runs, where, and whether it answers."""

import os
from collections.abc import Sequence

from rich.table import Table

from stack.errors import StackError
from stack.servers import processes
from stack.services.local import PROCESSES, LocalProcess
from stack.services.site import Site


def state_of(process: LocalProcess, site: Site) -> str:
    """`given` by the environment, `stopped`, `running`, or `not answering`."""
    if not process.is_local(site):
        return "given"
    if processes.find(site.home, process.name) is None:
        return "stopped"
    return "running" if process.is_ready(site) else "not answering"


def table_of(states: dict[str, str], site: Site) -> Table:
    """The states for people."""
    table = Table("service", "state", "pid", "address", "log", box=None, header_style="bold")
    for process in PROCESSES:
        running = processes.find(site.home, process.name)
        address = process.external_address(site) or process.address(site)
        log = site.home.log(process.name)
        shown = (os.path.relpath(log) if log.exists() else "",)
        table.add_row(process.title, states[process.name], str(running.pid) if running else "", address, *shown)
    return table


def states_of(site: Site) -> dict[str, str]:
    """The state of every service by its name."""
    return {process.name: state_of(process, site) for process in PROCESSES}


def logs_of(names: Sequence[str], site: Site) -> list[str]:
    """The log files of the named services, of all by default; raises `StackError` if there are none yet."""
    chosen = [process.name for process in PROCESSES if not names or process.name in names]
    files = [str(site.home.log(name)) for name in chosen if site.home.log(name).exists()]
    if not files:
        raise StackError("There are no logs yet; start the stack with `make up`.")
    return files
