"""`python -m devtools.checks.audit`: known vulnerabilities of every locked package, looked up by pip-audit.

The exit status is 1 if there are any. Packages that no database knows are reported as NOT CHECKED; with `--required`
that is exit status 1 too. PyPI's database is queried first (a mirror may have none), then OSV's.
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

from devtools.checks.newest_python import LOCK as NEWEST_LOCK
from stack import paths
from stack.console import print_error, print_line, print_warning
from stack.errors import StackError

FAILED = 1
DATABASES = {"PyPI": ("--vulnerability-service", "pypi"), "OSV": ("--vulnerability-service", "osv")}
"""The options of pip-audit for each database; they may include an address (`--osv-url`)."""
OPTIONS = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "15")
UNREACHABLE = ("ConnectionError", "Timeout", "ServiceError", "HTTPError", "ConnectError", "SSLError", "ProxyError")
"""Words in pip-audit's last line if the database, and not the lock file, is the cause of a failure."""
MOST_LISTED = 5
EXAMPLES = paths.ROOT / "examples"
LOCK_SUFFIXES, HASH = (".lock", ".txt"), "--hash=sha256:"


class AuditFailed(StackError):
    """pip-audit could not read the lock files; its output follows."""


@dataclass(frozen=True)
class Vulnerability:
    """A known vulnerability of a locked package, and the versions that fix it (perhaps none yet)."""

    package: str
    version: str
    name: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line for the terminal."""
        cure = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no version without it yet"
        return f"{self.package} {self.version}: {self.name}, {cure}"


@dataclass(frozen=True)
class AuditResult:
    """The answer of a database: how many packages it knows, which it does not know, and the vulnerabilities."""

    checked: int
    unchecked: tuple[str, ...]
    vulnerabilities: tuple[Vulnerability, ...]

    def __add__(self, other: "AuditResult") -> "AuditResult":
        """Return both answers as one; what both report is reported once."""
        return AuditResult(
            self.checked + other.checked,
            tuple(dict.fromkeys(self.unchecked + other.unchecked)),
            tuple(dict.fromkeys(self.vulnerabilities + other.vulnerabilities)),
        )


def locks() -> list[Path]:
    """Return every lock file: those of the checkout's environments, and those of the examples' own."""
    of_examples = (file for file in EXAMPLES.rglob("*") if file.suffix in LOCK_SUFFIXES and HASH in file.read_text())
    return [*sorted(paths.REQUIREMENTS.rglob("*.lock")), *sorted(of_examples)]


def resolved_together(files: Iterable[Path]) -> list[list[Path]]:
    """Return the lock files in groups: pip-audit refuses a package that files which are resolved apart pin.

    These are the one for the newest Python and each of the examples' environments.
    """
    groups: dict[Path | None, list[Path]] = {}
    for file in files:
        is_apart = file.name == NEWEST_LOCK.name or file.is_relative_to(EXAMPLES)
        groups.setdefault(file if is_apart else None, []).append(file)
    return list(groups.values())


def query(files: Iterable[Path], database: Sequence[str]) -> AuditResult | None:
    """Look up all packages of lock files; None if the database is unreachable, `AuditFailed` for a broken file."""
    requirements = [argument for file in files for argument in ("--requirement", str(file))]
    completed = subprocess.run(
        (sys.executable, "-m", "pip_audit", *OPTIONS, *database, *requirements),
        env={**_trust(), **os.environ}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if completed.stdout.startswith("{"):
        return result_of(json.loads(completed.stdout))
    output = completed.stderr.strip() or f"no output, exit status {completed.returncode}"
    if any(word in output.splitlines()[-1] for word in UNREACHABLE):
        return None
    raise AuditFailed(f"{AuditFailed.__doc__}\n{output[-1500:]}")


def _query_all(groups: Iterable[Sequence[Path]], database: Sequence[str]) -> AuditResult | None:
    """Return the answers to all groups as one; None as soon as the database is unreachable."""
    total = AuditResult(0, (), ())
    for group in groups:
        answer = query(group, database)
        if answer is None:
            return None
        total += answer
    return total


def _trust() -> dict[str, str]:
    """Return the setting that makes pip-audit trust the system's certificates, if they are one file."""
    bundle = ssl.get_default_verify_paths().cafile
    return {"REQUESTS_CA_BUNDLE": bundle} if bundle else {}


def result_of(report: dict[str, Any]) -> AuditResult:
    """Read pip-audit's JSON, in which a package without an answer has a reason instead of vulnerabilities."""
    checked = [package for package in report["dependencies"] if "skip_reason" not in package]
    return AuditResult(
        checked=len(checked),
        unchecked=tuple(package["name"] for package in report["dependencies"] if "skip_reason" in package),
        vulnerabilities=tuple(
            Vulnerability(package["name"], package["version"], fault["id"], tuple(fault["fix_versions"]))
            for package in checked
            for fault in package["vulns"]
        ),
    )


def audit(files: Sequence[Path], databases: Mapping[str, tuple[str, ...]], *, required: bool) -> int:
    """Query the databases until one knows packages; print its answer and return the exit status."""
    groups = resolved_together(files)
    for name, database in databases.items():
        result = _query_all(groups, database)
        if result and result.checked:
            return _report(name, result, required=required)
    return _not_checked(f"no vulnerability database ({', '.join(databases)}) is reachable", required=required)


def main(arguments: list[str] | None = None) -> int:
    """Audit the lock files."""
    parser = argparse.ArgumentParser(prog="python -m devtools.checks.audit", description=__doc__.partition("\n")[0])
    parser.add_argument("--required", action="store_true", help="fail if something could not be checked")
    options = parser.parse_args(arguments)
    try:
        return audit(locks(), DATABASES, required=options.required)
    except AuditFailed as error:
        print_error(str(error))
        return FAILED


def _report(database: str, result: AuditResult, *, required: bool) -> int:
    """Print the answer of a database, and return the exit status."""
    for vulnerability in result.vulnerabilities:
        print_error(str(vulnerability))
    print_line(
        f"{result.checked} packages checked against {database}: {len(result.vulnerabilities)} known vulnerabilities."
    )
    status = FAILED if result.vulnerabilities else 0
    if result.unchecked:
        listed = ", ".join(result.unchecked[:MOST_LISTED]) + (" …" if len(result.unchecked) > MOST_LISTED else "")
        reason = f"{len(result.unchecked)} packages are unknown to {database} ({listed})"
        status = max(status, _not_checked(reason, required=required))
    return status


def _not_checked(reason: str, *, required: bool) -> int:
    print_warning(f"NOT CHECKED for known vulnerabilities: {reason}.")
    return FAILED if required else 0


if __name__ == "__main__":
    sys.exit(main())
