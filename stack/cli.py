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
from stack.console import print_error, print_line, print_table, print_warning, step
from stack.demo.plan import SCENARIOS, Scenario
from stack.errors import StackError
from stack.locks import exclusive_lock
from stack.services import lifecycle, status
from stack.services.certificates import LOCAL_NAMES, make_certificates
from stack.services.environments import settings_for
from stack.services.local import PROCESSES, WORKERS, Selection
from stack.services.site import Site
from stack.services.table import names, with_port
from stack.setup import downloads, tools
from stack.setup.debian import libaio
from stack.setup.spark import spark_classes
from stack.supervision import control

NOT_ALL_RUNNING = 3
FAILED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a failure is one message that names the cure, and exit status 2."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except StackError as error:
        print_error(str(error))
        return FAILED
    except KeyboardInterrupt:
        print_error("Interrupted; run the same command again to continue.")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets `command` to the function that runs it."""
    parser = argparse.ArgumentParser(prog="python -m stack", description="The local servers and services.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fetch_parser = _add(commands, "fetch", _fetch, "download the servers' jars that are missing")
    fetch_parser.add_argument("--monitor", action="store_true", help="only what the monitor alone needs")
    _add(commands, "classes", _classes, "archive the classes that Spark loads, so that its sessions start faster")
    tools_parser = _add(commands, "tools", _tools, "build the programs that tests and checks need, if Go is installed")
    tools_parser.add_argument(
        "tool", nargs="?", choices=[tool.name for tool in tools.TOOLS], help="build only this one, and print its file"
    )
    up_parser = _add(commands, "up", _up, "start the servers and services that do not run yet")
    up_parser.add_argument("--any-port", action="store_true", help="use free ports instead of the default ones")
    selection = up_parser.add_mutually_exclusive_group()
    selection.add_argument("--servers-only", action="store_true", help="start MariaDB and Kafka without the services")
    roles = [service.name for service, _ in with_port()]
    selection.add_argument(
        "--role", action="append", choices=roles, help="start one service (or several), and only the servers it needs"
    )
    selection.add_argument("--live", action="store_true", help="start the scored stream too; it needs a trained model")
    up_parser.add_argument("--kafka", action="store_true", help="start Kafka even if none of the roles needs it")
    _add(commands, "status", _status, "show the state of every server and service; exit status 3 if one does not run")
    logs_parser = _add(commands, "logs", _logs, "show the last lines of the logs")
    logs_parser.add_argument("names", nargs="*", choices=[[], *(process.name for process in PROCESSES)], default=[])
    logs_parser.add_argument("--follow", action="store_true", help="keep printing new lines")
    _add(commands, "down", _down, "stop everything and keep the data")
    examples_parser = _add(commands, "examples-down", _examples_down, "stop the examples and keep their data")
    examples_parser.add_argument("--var", type=Path, help="the folder of examples that ran with --var (var/examples)")
    _add(commands, "clean", _clean, "stop everything and remove var/")
    env_parser = _add(commands, "env", _env, "print a service's settings, secrets included, for a shell's eval")
    env_parser.add_argument("roles", nargs="+", choices=names(), help="of several, the last one's settings win")
    certificates_parser = _add(commands, "certificates", _certificates, "create a CA and a certificate to try TLS with")
    certificates_parser.add_argument("names", nargs="*", default=LOCAL_NAMES, help="host names and addresses")
    _add_demo(commands)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo_parser = _add(commands, "demo", _demo, "run the demo and leave it running")
    demo_parser.add_argument("--any-port", action="store_true", help="use free ports instead of the default ones")
    demo_parser.add_argument("--live", action="store_true", help="predict while the records arrive")
    demo_parser.add_argument(
        "--scenario", metavar="NAME|FILE", help=f"{', '.join(SCENARIOS)}, or JSON with fields of Scenario"
    )


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _fetch(options: argparse.Namespace) -> int:
    with exclusive_lock(paths.BUILD / "setup.lock"):
        for download in downloads.missing_for_monitor() if options.monitor else downloads.missing():
            with step(download.jars.title) as progress:
                download.fetch(progress)
        if not options.monitor and not libaio.fetch():
            print_warning(f"{libaio.reason_missing()} Without it the tests on MySQL are skipped.")
    return 0


def _tools(options: argparse.Namespace) -> int:
    """Build the tools that are missing, or one of them and print its path."""
    if options.tool:
        tool = next(tool for tool in tools.TOOLS if tool.name == options.tool)
        sys.stdout.write(f"{tools.path(tool)}\n")
        return 0
    for tool in tools.TOOLS:
        reason = tools.reason_missing(tool)
        if reason:
            print_warning(f"{reason} Until then, tests that need it are skipped.")
        elif not tools.is_built(tool):
            with step(f"{tool.name} {tool.version}"):
                tools.path(tool)
    return 0


def _classes(_: argparse.Namespace) -> int:
    if not spark_classes.is_made():
        with step("Spark's classes"):
            spark_classes.make()
    return 0


def _up(options: argparse.Namespace) -> int:
    workers = WORKERS if options.live else ()
    everything = Selection(starts_services=not options.servers_only, workers=workers)
    selection = Selection.of_roles(options.role, kafka=options.kafka) if options.role else everything
    site = lifecycle.up(any_port=options.any_port, selection=selection)
    for process in selection.processes:
        print_line(f"  {process.title:<13} {process.external_address(site) or process.address(site)}".rstrip())
    return 0


def _status(_: argparse.Namespace) -> int:
    site = Site.from_environment()
    states = status.states_of(site)
    print_table(status.table_of(states, site))
    for line in status.restart_lines(control.histories(site.home)):
        print_warning(line)
    return 0 if set(states.values()) <= status.SOUND else NOT_ALL_RUNNING


def _logs(options: argparse.Namespace) -> int:
    files = status.logs_of(options.names, Site.to_stop())
    follow = ("-F",) if options.follow else ()
    os.execvp("tail", ("tail", "-n", "40", *follow, "--", *files))  # noqa: S606  # no shell is meant


def _down(_: argparse.Namespace) -> int:
    lifecycle.down(Site.to_stop())
    return 0


def _examples_down(options: argparse.Namespace) -> int:
    if options.var and not lifecycle.has_examples(options.var):
        raise StackError(f"No example ran in {options.var}; give the folder that was its --var.")
    lifecycle.stop_examples(options.var.resolve() if options.var else paths.VAR / lifecycle.EXAMPLES)
    return 0


def _clean(_: argparse.Namespace) -> int:
    lifecycle.clean(Site.to_stop())
    return 0


def _env(options: argparse.Namespace) -> int:
    site = Site.from_environment()
    settings = {name: value for role in options.roles for name, value in settings_for(role, site).items()}
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    return 0


def _certificates(options: argparse.Namespace) -> int:
    site = Site.from_environment()
    site.claim()
    files = make_certificates(site.var / "tls", utc_now(), options.names)
    print_line(f"CA:           {files.authority}\nCertificate:  {files.certificate}\nKey:          {files.key}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    from stack.demo import loop  # noqa: PLC0415  (only the demo needs an HTTP client, which is slow to import)

    loop.run(_scenario(options.scenario), any_port=options.any_port, live=options.live)
    return 0


def _scenario(name_or_file: str | None) -> Scenario:
    """Return the scenario of a name or of a file, by default the demo's."""
    if name_or_file in SCENARIOS:
        return SCENARIOS[name_or_file]
    overrides = json.loads(Path(name_or_file).read_text()) if name_or_file else {}
    return Scenario.from_json(asdict(Scenario()) | overrides)
