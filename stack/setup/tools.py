"""Programs that tests and checks need, built once from pinned Go modules, in build/tools/.

Go verifies every module with its public checksum database; a program's file name contains its version.
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
    """A Go program: its name, its package, the version of the module, and its purpose."""

    name: str
    package: str
    version: str
    purpose: str

    @property
    def target(self) -> Path:
        """The file of the built program; each version has its own."""
        return paths.TOOLS / f"{self.name}-{self.version}"


FAKE_GCS = Tool(
    "fake-gcs-server", "github.com/fsouza/fake-gcs-server", "v1.56.1", "the tests on Google Cloud Storage's protocol"
)
VERSITYGW = Tool(
    "versitygw",
    "github.com/versity/versitygw/cmd/versitygw",
    "v1.8.0",
    "the tests on S3's protocol, and the examples ecg and lakehouse",
)
ACTIONLINT = Tool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12", "the check of workflows")
COMPOSE_SPEC = Tool(
    "compose-spec", "github.com/compose-spec/compose-go/v2/cmd", "v2.9.1", "the tests on the compose files"
)
TOOLS = (FAKE_GCS, VERSITYGW, ACTIONLINT, COMPOSE_SPEC)


def is_built(tool: Tool) -> bool:
    """Return whether the pinned version is built."""
    return tool.target.exists()


def reason_missing(tool: Tool) -> str | None:
    """Return why the tool can neither be used nor built, None if it can."""
    if is_built(tool) or shutil.which(GO):
        return None
    return f"{tool.name} {tool.version} is not built and Go is missing: {CURE}. It is used by {tool.purpose}."


def path(tool: Tool) -> Path:
    """Return the program; build it first if it is missing (a minute or two), while other processes wait.

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
    """Build a tool in a temporary folder and move it to its place; raises `ToolBuildFailed` with Go's last lines."""
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=paths.TOOLS) as folder:
        command = (GO, "install", "-trimpath", "-ldflags=-s -w", f"{tool.package}@{tool.version}")
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        completed = subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if completed.returncode:
            output = (completed.stdout + completed.stderr).strip()[-1500:]
            raise ToolBuildFailed(
                f"{tool.name} {tool.version} could not be built; check the network, run `make tools` again:\n{output}"
            )
        (Path(folder) / PurePosixPath(tool.package).name).rename(tool.target)
