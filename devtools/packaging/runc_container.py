"""Runs an image with runc as the compose files do: its own user, no capabilities, a read-only root file system.

Unlike a Docker engine it uses the machine's network (or none), and sets no limits of memory and processes.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools.packaging.images import Image

TMPFS = ("nosuid", "nodev", "noexec", "mode=1777", "size=256m")
"""The options with which an engine mounts a compose file's `tmpfs`; with `exec`, they are `EXECUTABLE`."""
EXECUTABLE = tuple(option for option in TMPFS if option != "noexec")
SECONDS = 300.0


@dataclass(frozen=True)
class RuncContainer:
    """How to run an image: a folder for runc's files, variables, mounts, network, and the options of /tmp.

    `mounts` maps paths in the container to paths of the machine; those in `writable` are mounted read-write.
    """

    image: Image
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: frozenset[str] = frozenset({"/var/lib/driftline"})
    network: bool = True
    tmp_options: tuple[str, ...] = TMPFS

    def command(self, *arguments: str, entrypoint: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the command that runs the container in the foreground; all its processes end with that command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configured = self.image.configuration
        program = configured["Entrypoint"] if entrypoint is None else entrypoint
        words = [*program, *(arguments or configured["Cmd"] or ())]
        (self.folder / "config.json").write_text(json.dumps(self._description(words)))
        isolation = ("unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
        run_options = ("--root", str(self.folder / "state"), "run", "--no-pivot", "--bundle", str(self.folder))
        return (*isolation, "runc", *run_options, f"driftline-{self.folder.name}")

    def run(self, *arguments: str, entrypoint: Sequence[str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the container to its end; return exit status and output."""
        command = self.command(*arguments, entrypoint=entrypoint)
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    def python(self, code: str) -> "subprocess.CompletedProcess[str]":
        """Run Python code in the container."""
        return self.run("-c", code, entrypoint=("python",))

    def _description(self, words: Sequence[str]) -> dict[str, Any]:
        """Return the container's config.json (Open Container Initiative runtime specification)."""
        user, group = self.image.user
        variables = {**self.image.environment, **self.environment}
        kinds = ("pid", "mount", "ipc", *(() if self.network else ("network",)))
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False,
                "user": {"uid": user, "gid": group},
                "args": list(words),
                "env": [f"{name}={value}" for name, value in variables.items()],
                "cwd": self.image.configuration["WorkingDir"] or "/",
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.image.root), "readonly": True},
            "mounts": [
                *_SYSTEM,
                _mounted("/tmp", "tmpfs", *self.tmp_options),  # noqa: S108  # inside
                *(self._mount(inside, outside) for inside, outside in self.mounts.items()),
            ],
            "linux": {"namespaces": [{"type": kind} for kind in kinds]},
        }

    def _mount(self, inside: str, outside: Path) -> dict[str, Any]:
        rights = "rw" if inside in self.writable else "ro"
        return {"destination": inside, "source": str(outside), "type": "bind", "options": ["bind", rights]}


def _mounted(destination: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}


_SYSTEM = (
    _mounted("/proc", "proc"),
    _mounted("/dev", "tmpfs", "nosuid", "mode=755", "size=64k"),
    _mounted("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=64m"),  # noqa: S108  # inside
    {"destination": "/etc/hosts", "source": "/etc/hosts", "type": "bind", "options": ["bind", "ro"]},
)
