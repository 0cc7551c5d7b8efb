"""The step of the example that fills the Hudi tables, with a Python and jars of its own."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from examples.environments import environment
from examples.lakehouse.jars import jars
from examples.lakehouse.shop.orders import TOPIC
from examples.object_store import StoredObjects
from examples.servers import ROOT

LOCK = Path(__file__).with_name("tools.lock")


def fill_tables(objects: StoredObjects, kafka: str, folder: Path) -> Iterator[str]:
    """Write what the topic has into the tables, compact, and yield lines about it; or why that is not possible here."""
    try:
        run = command(objects.address, kafka, folder)
    except (SystemExit, subprocess.CalledProcessError) as error:
        yield f"The Hudi tables are left out, since their environment cannot be made: {error}"
        return
    yield from output((*run, "write", "show", "compact"), {**os.environ, **objects.variables}).splitlines()


def command(objects: str, kafka: str, folder: Path, topic: str = TOPIC) -> Sequence[str]:
    """Return the program of the tables with its options, without its actions; make its environment first.

    Raises:
        SystemExit: its jars cannot be fetched.
        subprocess.CalledProcessError: its libraries cannot be installed.
    """
    root = objects.replace("s3://", "s3a://", 1) + "/hudi"
    return (
        str(environment("lakehouse-hudi", LOCK) / "python"), "-m", "examples.lakehouse.hudi", root,
        "--jars", str(jars("hudi")), "--kafka", kafka, "--topic", topic, "--checkpoint", str(folder / "hudi_offsets"),
    )  # fmt: skip


def output(program: Sequence[str], variables: Mapping[str, str]) -> str:
    """Run a program of the tables and return what it prints.

    Raises:
        SystemExit: it failed; the message is the end of its log.
    """
    completed = subprocess.run(program, cwd=ROOT, env=dict(variables), capture_output=True, text=True, check=False)
    if completed.returncode:
        raise SystemExit(f"The Hudi tables could not be written:\n{completed.stderr[-3000:]}")
    return completed.stdout
