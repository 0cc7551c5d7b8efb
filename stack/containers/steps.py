"""`python -m stack.containers.steps STEP`: steps of the compose file's one-off containers between the services.

`provision` creates schemas, users, tables, rights and topics; `plan`, `days`, `stream` and `findings` are the demo's
steps between those of the other images. They exchange data in the folder of local state: the plan, and under `plan/`
the arguments of each following step, one per line.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pymysql
from pydantic import SecretStr

from churn import migrate
from driftline.errors import DriftlineError
from driftline.settings import DatabaseSettings, KafkaSettings, LocalSettings, SecretsFolder
from driftline.store.database import make_engine
from stack.console import print_error, step
from stack.demo.client import DemoClient
from stack.demo.loaded_history import plan_for_loaded_history
from stack.demo.plan import Plan, Scenario
from stack.errors import StackError
from stack.servers import topics
from stack.services.accounts import Administration, connected
from stack.services.credentials import Credentials
from stack.services.table import MONITOR, OWNER, SIMULATOR

TOKEN = "demo.token"  # noqa: S105  # the name of a file
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; a failure is one message, and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m stack.containers.steps", description="Steps between the services.")
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--simulator", default=SIMULATOR.container_address, help="address of the service")
    parser.add_argument("--monitor", default=MONITOR.container_address, help="address of the service")
    options = parser.parse_args(arguments)
    try:
        STEPS[options.step](DemoClient(options.simulator, options.monitor, _secret(TOKEN)))
    except (StackError, DriftlineError, pymysql.Error, OSError) as error:
        print_error(f"{options.step}: {error}")
        return FAILED
    return 0


def provision(_: DemoClient) -> None:
    """Create the schemas, users, tables, rights and topics that are missing, as the server's root."""
    root, passwords = DatabaseSettings(), Credentials(_secrets())
    administration = Administration(lambda: connected(root), root.name, "%", passwords.password)
    with step("Schemas and users"):
        administration.create_schemas()
        administration.create_accounts()
    with step("Tables and rights"):
        owner = root.model_copy(
            update={"user": OWNER.account, "password": SecretStr(passwords.password(OWNER.account))}
        )
        migrate.upgrade(make_engine(owner))
        administration.grant()
    with step("Topics"):
        topics.create_topics(KafkaSettings())


def plan(_: DemoClient) -> None:
    """Choose the demo's days once, and write which history to load."""
    plan_of_demo = Plan.load_or_create(_plan_file(), Scenario(), datetime.now(UTC))
    _write_arguments("history", plan_of_demo.history_arguments)


def days(_: DemoClient) -> None:
    """Adapt the plan to the loaded history, and write which days to prepare, to train on, and to predict."""
    adapted = plan_for_loaded_history(_read_plan(), make_engine(DatabaseSettings()))
    adapted.save(_plan_file())
    _write_arguments("history_days", adapted.history_days)
    _write_arguments("streamed_days", adapted.streamed_days)


def stream(client: DemoClient) -> None:
    """Stream the planned days with the simulator, and wait until it has finished."""
    planned = _read_plan()
    with step(f"Stream of {planned.scenario.stream_days} days") as advance:
        client.stream(planned, advance)


def findings(client: DemoClient) -> None:
    """Let the monitor compute the pending chunks, and print its findings."""
    with step("Monitoring of all that is pending"):
        client.compute()
    client.show_findings(_read_plan())


STEPS: dict[str, Callable[[DemoClient], None]] = {
    work.__name__: work for work in (provision, plan, days, stream, findings)
}


def _secrets() -> Path:
    folder = SecretsFolder().existing()
    if folder is None:
        raise StackError("There is no folder of secrets; mount one, or set DRIFTLINE_SECRETS.")
    return folder


def _secret(name: str) -> str | None:
    """Return a secret of the folder, None if there is none."""
    folder = SecretsFolder().existing()
    return (folder / name).read_text().strip() if folder and (folder / name).is_file() else None


def _plan_file() -> Path:
    return LocalSettings().var / "demo.json"


def _read_plan() -> Plan:
    return Plan.load_or_create(_plan_file(), Scenario(), datetime.now(UTC))


def _write_arguments(name: str, arguments: Sequence[str]) -> None:
    """Write a step's arguments, none of which contains a blank, in one atomic step."""
    folder = LocalSettings().var / "plan"
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f"{name}.partial"
    staged.write_text("\n".join(arguments) + "\n")
    staged.replace(folder / name)


if __name__ == "__main__":
    sys.exit(main())
