"""The state of the local servers and services."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.table import Table

from stack.errors import StackError
from stack.servers import processes
from stack.services.local import PROCESSES, LocalProcess
from stack.services.site import Site
from stack.supervision import control
from stack.supervision.history import ProcessHistory
from stack.supervision.supervisor import NAME as SUPERVISOR

OFF = "off"
"""The state of a process that nobody has asked for."""
SOUND = frozenset({"running", "external", OFF})
"""The states of a stack that works."""


def state_of(process: LocalProcess, site: Site, past: ProcessHistory) -> str:
    """Return `external` (set in the environment), `running`, `not answering`, `stopped`, or that it is restarted.

    A process that runs only on request and does not run is `off`.
    """
    if not process.is_local(site):
        return "external"
    if processes.find(site.home, process.name) is None:
        if past.due_at and control.find(site.home):
            return restarting_text(past, datetime.now(UTC))
        return OFF if process.request else "stopped"
    return "running" if process.is_ready(site) else "not answering"


def restarting_text(past: ProcessHistory, now: datetime) -> str:
    """Return that a process which has ended is started again, and when."""
    seconds = max((past.due_at - now).total_seconds(), 0) if past.due_at else 0
    return f"{'crash loop' if past.is_crash_loop else 'restarting'}, next start in {seconds:.0f} s"


def restart_lines(histories: Mapping[str, ProcessHistory]) -> list[str]:
    """Return for each process that ended by itself how often it was restarted, and when and why it ended last."""
    return [
        f"{process.title} was restarted {past.restarts} {'time' if past.restarts == 1 else 'times'};"
        f" it last ended at {past.ended_at:%Y-%m-%d %H:%M:%S} UTC: {past.reason}"
        for process in PROCESSES
        if (past := histories.get(process.name)) and past.ended_at and (past.restarts or past.due_at)
    ]


def table_of(states: dict[str, str], site: Site) -> Table:
    """Return the table of states that `make status` prints."""
    table = Table("service", "state", "pid", "address", "log", box=None, header_style="bold")
    for process in PROCESSES:
        running = processes.find(site.home, process.name)
        address = process.external_address(site) or process.address(site)
        log = site.home.log(process.name)
        log_path = os.path.relpath(log) if log.exists() else ""
        pid = str(running.pid) if running else ""
        state = states[process.name]
        shown = f"{OFF}; `{process.request}` starts it" if state == OFF else state
        table.add_row(process.title, shown, pid, address, log_path)
    supervisor = control.find(site.home)
    table.add_row("Supervisor", states[SUPERVISOR], str(supervisor.pid) if supervisor else "")
    return table


def states_of(site: Site) -> dict[str, str]:
    """Return the state of every process, and of the supervisor, by its name."""
    histories = control.histories(site.home)
    none = ProcessHistory()
    states = {process.name: state_of(process, site, histories.get(process.name, none)) for process in PROCESSES}
    return {**states, SUPERVISOR: "running" if control.find(site.home) else "stopped"}


def logs_of(names: Sequence[str], site: Site) -> list[str]:
    """Return the log files of the named processes, by default of all; raises `StackError` if there are none."""
    selected = [process.name for process in PROCESSES if not names or process.name in names]
    files = [str(site.home.log(name)) for name in selected if site.home.log(name).exists()]
    if not files:
        raise StackError("There are no logs yet; start the stack with `make up`.")
    return files
