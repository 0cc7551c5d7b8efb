"""Runs an image as the compose files do, with runc: its own user, no rights, a root file system that is read-only.

What differs from an engine: the network is this machine's (or none), and there are no limits of memory and processes.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools.images import Image

TMPFS = ("nosuid", "nodev", "noexec", "mode=1777", "size=256m")
"""What an engine mounts where a compose file says `tmpfs`; with `exec` among its options, `EXECUTABLE`."""
EXECUTABLE = tuple(option for option in TMPFS if option != "noexec")
SECONDS = 300.0


@dataclass(frozen=True)
class RuncContainer:
    """How to run an image: a folder for its description, variables, files to mount, the network, how /tmp is mounted.

    `mounts` is from the place inside to the place here; one is written to if its place inside is in `writable`.
    """

    image: Image
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: frozenset[str] = frozenset({"/var/lib/driftline"})
    network: bool = True
    tmp_options: tuple[str, ...] = TMPFS

    def command(self, *arguments: str, entrypoint: Sequence[str] | None = None) -> tuple[str, ...]:
        """Give the command line that runs it, in the foreground; all of it ends when that command ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = self.image.configuration
        words = [*(own["Entrypoint"] if entrypoint is None else entrypoint), *(arguments or own["Cmd"] or ())]
        (self.folder / "config.json").write_text(json.dumps(self._description(words)))
        alone = ("unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
        where = ("--root", str(self.folder / "state"), "run", "--no-pivot", "--bundle", str(self.folder))
        return (*alone, "runc", *where, f"driftline-{self.folder.name}")

    def run(self, *arguments: str, entrypoint: Sequence[str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run it to its end; give its exit status and what it said."""
        command = self.command(*arguments, entrypoint=entrypoint)
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    def python(self, code: str) -> "subprocess.CompletedProcess[str]":
        """Run some Python in it."""
        return self.run("-c", code, entrypoint=("python",))

    def _description(self, words: Sequence[str]) -> dict[str, Any]:
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
                *(self._mount(inside, here) for inside, here in self.mounts.items()),
            ],
            "linux": {"namespaces": [{"type": kind} for kind in kinds]},
        }

    def _mount(self, inside: str, here: Path) -> dict[str, Any]:
        rights = "rw" if inside in self.writable else "ro"
        return {"destination": inside, "source": str(here), "type": "bind", "options": ["bind", rights]}


def _mounted(destination: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}


_SYSTEM = (
    _mounted("/proc", "proc"),
    _mounted("/dev", "tmpfs", "nosuid", "mode=755", "size=64k"),
    _mounted("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=64m"),  # noqa: S108  # inside
    {"destination": "/etc/hosts", "source": "/etc/hosts", "type": "bind", "options": ["bind", "ro"]},
)
