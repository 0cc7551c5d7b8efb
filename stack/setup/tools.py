"""Programs that tests and checks need, built from pinned Go modules, each once, in build/tools/.

Go checks every module against its public checksum database; what is built is named by its version.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stack import paths
from stack.errors import PrerequisiteMissing, StackError
from stack.locks import exclusive_lock

GO = "go"
CURE = "install Go (https://go.dev/dl, or the package golang-go), then run `make tools`"


class ToolBuildFailed(StackError):
    """A tool could not be built from its Go module; check the network and run `make tools` again."""


@dataclass(frozen=True)
class Tool:
    """A Go program: its name, the package it is built from, the module's version, and what it is for."""

    name: str
    package: str
    version: str
    purpose: str

    @property
    def target(self) -> Path:
        """Where the program is once it is built; another version is another file."""
        return paths.TOOLS / f"{self.name}-{self.version}"


FAKE_GCS = Tool(
    "fake-gcs-server", "github.com/fsouza/fake-gcs-server", "v1.56.1", "the tests on Google Cloud Storage's protocol"
)
VERSITYGW = Tool("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0", "the tests on S3's protocol")
ACTIONLINT = Tool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12", "the check of workflows")
COMPOSE_SPEC = Tool(
    "compose-spec", "github.com/compose-spec/compose-go/v2/cmd", "v2.9.1", "the tests on the compose files"
)
TOOLS = (FAKE_GCS, VERSITYGW, ACTIONLINT, COMPOSE_SPEC)


def is_built(tool: Tool) -> bool:
    """Whether the program of the pinned version is there."""
    return tool.target.exists()


def reason_missing(tool: Tool) -> str | None:
    """Why the tool cannot be had here, as a sentence; None if it is built, or can be."""
    if is_built(tool) or shutil.which(GO):
        return None
    return f"{tool.name} {tool.version} is not built and there is no Go here: {CURE}. It is for {tool.purpose}."


def path(tool: Tool) -> Path:
    """The program; built first if it is not there (a minute or two), by one process while others wait.

    Raises `PrerequisiteMissing` without Go, `ToolBuildFailed` with Go's last lines.
    """
    if is_built(tool):
        return tool.target
    reason = reason_missing(tool)
    if reason:
        raise PrerequisiteMissing(reason)
    paths.TOOLS.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(paths.TOOLS / f"{tool.name}.lock"):
        if not is_built(tool):
            _build(tool)
    return tool.target


def _build(tool: Tool) -> None:
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=paths.TOOLS) as folder:
        command = (GO, "install", "-trimpath", "-ldflags=-s -w", f"{tool.package}@{tool.version}")
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        done = subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-1500:]
            raise ToolBuildFailed(
                f"{tool.name} {tool.version} could not be built; run `make tools` again. Go said:\n{said}"
            )
        (Path(folder) / PurePosixPath(tool.package).name).rename(tool.target)
