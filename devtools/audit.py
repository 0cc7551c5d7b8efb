"""`python -m devtools.audit`: known vulnerabilities of every locked package, asked by pip-audit of a public database.

Ends with 1 if there is one, each on a line of its own. What no database could say is said to be not checked, which ends
with 1 too under `--required`. PyPI's database is asked first (where a mirror has none it knows nothing), then OSV's.
"""

import argparse
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths
from stack.console import print_error, print_line, print_warning
from stack.errors import StackError

FAILED = 1
DATABASES = {"PyPI": ("--vulnerability-service", "pypi"), "OSV": ("--vulnerability-service", "osv")}
"""By name, pip-audit's options; an address (`--osv-url`) may be among them."""
OPTIONS = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "15")
AWAY = ("ConnectionError", "Timeout", "ServiceError", "HTTPError", "ConnectError", "SSLError", "ProxyError")
"""What pip-audit's last line says when the database, and not the lock file, is at fault."""
SHOWN = 5


class AuditFailed(StackError):
    """pip-audit could not read the lock files; what it said stands below."""


@dataclass(frozen=True)
class Vulnerability:
    """A known fault of a locked package, and the versions without it (perhaps none yet)."""

    package: str
    version: str
    name: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """One line for the terminal."""
        cure = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no version without it yet"
        return f"{self.package} {self.version}: {self.name}, {cure}"


@dataclass(frozen=True)
class Answer:
    """What a database knew: how many packages it has looked up, which it could not, and what is known of them."""

    checked: int
    unchecked: tuple[str, ...]
    found: tuple[Vulnerability, ...]


def locks() -> list[Path]:
    """Every lock file."""
    return sorted(paths.REQUIREMENTS.rglob("*.lock"))


def ask(files: Iterable[Path], database: Sequence[str]) -> Answer | None:
    """Ask a database of all packages in lock files; None if it cannot be reached, `AuditFailed` if a file is broken."""
    named = [argument for file in files for argument in ("--requirement", str(file))]
    done = subprocess.run(
        (sys.executable, "-m", "pip_audit", *OPTIONS, *database, *named),
        env={**_trust(), **os.environ}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.stdout.startswith("{"):
        return answer_of(json.loads(done.stdout))
    said = done.stderr.strip() or f"nothing, and ended with {done.returncode}"
    if any(word in said.splitlines()[-1] for word in AWAY):
        return None
    raise AuditFailed(f"{AuditFailed.__doc__}\n{said[-1500:]}")


def _trust() -> dict[str, str]:
    """Let pip-audit trust what this system trusts, where that is one file; left to itself it knows its own list."""
    known = ssl.get_default_verify_paths().cafile
    return {"REQUESTS_CA_BUNDLE": known} if known else {}


def answer_of(report: dict[str, Any]) -> Answer:
    """Read pip-audit's JSON: a package it could not look up has a reason in place of its vulnerabilities."""
    known = [package for package in report["dependencies"] if "skip_reason" not in package]
    return Answer(
        checked=len(known),
        unchecked=tuple(package["name"] for package in report["dependencies"] if "skip_reason" in package),
        found=tuple(
            Vulnerability(package["name"], package["version"], fault["id"], tuple(fault["fix_versions"]))
            for package in known
            for fault in package["vulns"]
        ),
    )


def audit(files: Sequence[Path], databases: Mapping[str, tuple[str, ...]], *, required: bool) -> int:
    """Ask one database after the other until one knows packages; say what came of it, give the exit status."""
    for name, database in databases.items():
        answer = ask(files, database)
        if answer and answer.checked:
            return _tell(name, answer, required=required)
    return _not_checked(
        f"no vulnerability database ({', '.join(databases)}) can be reached from here", required=required
    )


def main(arguments: list[str] | None = None) -> int:
    """Audit the lock files."""
    parser = argparse.ArgumentParser(prog="python -m devtools.audit", description=__doc__.partition("\n")[0])
    parser.add_argument("--required", action="store_true", help="what could not be checked is a failure")
    chosen = parser.parse_args(arguments)
    try:
        return audit(locks(), DATABASES, required=chosen.required)
    except AuditFailed as error:
        print_error(str(error))
        return FAILED


def _tell(database: str, answer: Answer, *, required: bool) -> int:
    for vulnerability in answer.found:
        print_error(str(vulnerability))
    print_line(f"{answer.checked} packages checked against {database}: {len(answer.found)} known vulnerabilities.")
    status = FAILED if answer.found else 0
    if answer.unchecked:
        shown = ", ".join(answer.unchecked[:SHOWN]) + (" …" if len(answer.unchecked) > SHOWN else "")
        unknown = f"{len(answer.unchecked)} packages are unknown to {database} ({shown})"
        status = max(status, _not_checked(unknown, required=required))
    return status


def _not_checked(why: str, *, required: bool) -> int:
    print_warning(f"NOT CHECKED for known vulnerabilities: {why}.")
    return FAILED if required else 0


if __name__ == "__main__":
    sys.exit(main())
