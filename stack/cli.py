"""`python -m stack`: what the Makefile calls."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from driftline.clock import utc_now
from stack import paths
from stack.console import fail, say, show, step, warn
from stack.demo import loop as demo
from stack.demo.plan import Scenario
from stack.errors import StackError
from stack.locks import alone
from stack.services import lifecycle, status
from stack.services.certificates import LOCAL_NAMES, make_certificates
from stack.services.environments import settings_for
from stack.services.local import PROCESSES, SERVERS
from stack.services.site import Site
from stack.services.table import names
from stack.setup import downloads, libaio, tools

NOT_ALL_RUNNING = 3
FAILED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what went wrong is one message that names the cure, and exit status 2."""
    chosen = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    try:
        return command(chosen)
    except StackError as error:
        fail(str(error))
        return FAILED
    except KeyboardInterrupt:
        fail("Interrupted; the same command again goes on from here.")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description="The local servers and services.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "fetch", _fetch, "fetch the servers' jars that are missing")
    _add(commands, "tools", _tools, "build the programs that tests and checks need, where Go is there")
    starting = _add(commands, "up", _up, "start what does not run yet")
    starting.add_argument("--any-port", action="store_true", help="take free ports instead of the usual ones")
    starting.add_argument("--servers-only", action="store_true", help="start MariaDB and Kafka without the services")
    _add(commands, "status", _status, "show what runs; exit status 3 if something does not")
    logs = _add(commands, "logs", _logs, "show the last lines of the logs")
    logs.add_argument("names", nargs="*", choices=[[], *(process.name for process in PROCESSES)], default=[])
    logs.add_argument("--follow", action="store_true", help="go on with what comes")
    _add(commands, "down", _down, "stop everything; the data stays")
    _add(commands, "clean", _clean, "stop everything and remove var/")
    printing = _add(commands, "env", _env, "print the settings of a role, secrets included, for a shell's eval")
    printing.add_argument("role", choices=names())
    making = _add(commands, "certificates", _certificates, "make a CA and a certificate to try TLS with")
    making.add_argument("names", nargs="*", default=LOCAL_NAMES, help="host names and addresses, else this machine's")
    _add_demo(commands)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    running = _add(commands, "demo", _demo, "run the whole loop and leave it running")
    running.add_argument("--any-port", action="store_true", help="take free ports instead of the usual ones")
    running.add_argument("--scenario", type=Path, metavar="FILE", help="JSON with the fields of Scenario to change")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _fetch(_: argparse.Namespace) -> int:
    with alone(paths.BUILD / "setup.lock"):
        for download in downloads.missing():
            with step(download.jars.title) as progress:
                download.fetch(progress)
        if not libaio.fetch():
            warn(f"{libaio.reason_missing()} Until then the tests on MySQL are skipped; nothing else needs it.")
    return 0


def _tools(_: argparse.Namespace) -> int:
    for tool in tools.TOOLS:
        reason = tools.reason_missing(tool)
        if reason:
            warn(f"{reason} Until then it is skipped.")
        elif not tools.is_built(tool):
            with step(f"{tool.name} {tool.version}"):
                tools.path(tool)
    return 0


def _up(chosen: argparse.Namespace) -> int:
    selection = SERVERS if chosen.servers_only else PROCESSES
    site = lifecycle.up(any_port=chosen.any_port, selection=selection)
    for process in selection:
        say(f"  {process.title:<10} {process.external_address(site) or process.address(site)}")
    return 0


def _status(_: argparse.Namespace) -> int:
    site = Site.from_environment()
    states = status.states_of(site)
    show(status.table_of(states, site))
    return 0 if set(states.values()) <= {"running", "given"} else NOT_ALL_RUNNING


def _logs(chosen: argparse.Namespace) -> int:
    files = status.logs_of(chosen.names, Site.to_stop())
    follow = ("-F",) if chosen.follow else ()
    os.execvp("tail", ("tail", "-n", "40", *follow, "--", *files))  # noqa: S606  # no shell is meant


def _down(_: argparse.Namespace) -> int:
    lifecycle.down(Site.to_stop())
    return 0


def _clean(_: argparse.Namespace) -> int:
    lifecycle.clean(Site.to_stop())
    return 0


def _env(chosen: argparse.Namespace) -> int:
    settings = settings_for(chosen.role, Site.from_environment())
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    return 0


def _certificates(chosen: argparse.Namespace) -> int:
    site = Site.from_environment()
    site.claim()
    made = make_certificates(site.var / "tls", utc_now(), chosen.names)
    say(f"CA:           {made.authority}\nCertificate:  {made.certificate}\nKey:          {made.key}")
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    changed = json.loads(chosen.scenario.read_text()) if chosen.scenario else {}
    demo.run(Scenario.of(asdict(Scenario()) | changed), any_port=chosen.any_port)
    return 0
