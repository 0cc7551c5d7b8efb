"""The tutorial of the service and the how-to pages that continue it, run as they are written."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import paths
from stack.servers.ports import any_free
from stack.testing.isolated_stack import IsolatedStack

PAGE = paths.ROOT / "docs" / "tutorial-service.md"
CONTINUED_BY = ("investigate-a-verdict", "incidents", "alerts", "corrections-and-deletions", "new-model-version")
"""The how-to pages whose commands follow those of the tutorial, before its end."""
END = "## Stop\n"
EDGE = "output-of-python"
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def isolated(tmp_path: Path) -> Iterator[IsolatedStack]:
    isolated = IsolatedStack(tmp_path / "var")
    yield isolated
    isolated.stack("clean")


def text() -> str:
    """Return the tutorial with the pages that continue it."""
    tutorial, end, stop = PAGE.read_text().partition(END)
    assert end
    return "\n".join([tutorial, *((PAGE.parent / "how-to" / f"{name}.md").read_text() for name in CONTINUED_BY), stop])


def commands(port: int) -> str:
    """Return the pages' commands as one script of the shell that stops at a failure, and prints each block's output.

    The output of a block of Python stands between two lines of `EDGE`.
    """
    lines = ["set -eu"]
    for language, block in BLOCK.findall(text()):
        if language == "sh":
            lines += [block, "echo"]
        elif language == "python":
            lines += [f"echo {EDGE}", f".venv/bin/python - <<'END'\n{block}END", f"echo {EDGE}"]
    script = "\n".join(lines)
    replaced = {
        "make up ROLE=monitor": ".venv/bin/python -m stack up --role monitor",
        "make down": ".venv/bin/python -m stack down",
        "localhost:5001": f"localhost:{port}",
        "5099": str(any_free(frozenset({port}))),
    }
    for shown, used in replaced.items():
        assert shown in script, shown
        script = script.replace(shown, used)
    return script


def test_every_command_works_and_prints_what_the_page_shows(isolated: IsolatedStack, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "docs").mkdir(parents=True)
    shutil.copy(paths.ROOT / "docs" / "flights.csv.gz", checkout / "docs")
    for name in (".venv", "stack", "src", "monitoring"):
        (checkout / name).symlink_to(paths.ROOT / name)
    port = any_free()
    environment = isolated.environment | {"MONITOR_PORT": str(port), "PYTHONPATH": str(paths.ROOT)}
    completed = subprocess.run(
        ("bash", "-c", commands(port)), cwd=checkout, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    outputs = iter(completed.stdout.split(f"{EDGE}\n")[1::2])
    before = ""
    for language, block in BLOCK.findall(text()):
        if language == "python":
            output = next(outputs)
        elif language == "text" and before == "python":
            assert block == output, "all that a block of Python prints"
        elif language == "text":
            assert block.rstrip("\n") in completed.stdout, "an excerpt of what commands print"
        before = language
