"""A `mariadbd` or `mysqld` that DRIFTLINE_MYSQLD names, started instead of the downloaded MariaDB.

Standard library only, since the setup uses it. docs/decisions explains why the PATH is not searched.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stack.errors import PrerequisiteMissing
from stack.servers.mariadb import MARIADB
from stack.servers.mysql import MYSQL
from stack.servers.sqlserver import SqlServer

VARIABLE = "DRIFTLINE_MYSQLD"
LIBRARIES = "LD_LIBRARY_PATH"
ADVICE = (
    f"If access was denied, a profile of the system (AppArmor, SELinux) confines it to its own folders: unset"
    f" {VARIABLE}, or set DB_HOST to use a running server."
)
OLDEST = {MARIADB.name: (10, 6), MYSQL.name: (8, 0)}


def named_server(environment: Mapping[str, str]) -> SqlServer | None:
    """Return the server that an environment names, None if it names none.

    Raises `PrerequisiteMissing` if the program does not run or is too old.
    """
    value = environment.get(VARIABLE)
    if not value:
        return None
    program = Path(value).absolute()
    libraries = {LIBRARIES: environment[LIBRARIES]} if environment.get(LIBRARIES) else {}
    name, version = _identity(program, _version(program, {**environment}))
    kind = MARIADB if name == MARIADB.name else MYSQL
    return replace(kind, version=version, program=program, environment=libraries, advice=ADVICE)


def _version(program: Path, environment: Mapping[str, str]) -> str:
    command = (str(program), "--no-defaults", "--version")
    try:
        completed = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, which cannot be run: {error.strerror}.") from error
    if completed.returncode:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, which does not run: {completed.stderr.strip()[-300:]}")
    return completed.stdout


def _identity(program: Path, output: str) -> tuple[str, str]:
    """Return kind and version (8.0), read from `mysqld  Ver 8.0.15 …` or `mariadbd  Ver 11.4.5-MariaDB …`.

    Raises `PrerequisiteMissing` for another program, or a version that is too old.
    """
    match = re.search(r"Ver (\d+)\.(\d+)\.\d+(-MariaDB)?", output)
    if match is None:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, neither mariadbd nor mysqld: it prints {output[:100]!r}.")
    name, version = MARIADB.name if match[3] else MYSQL.name, f"{match[1]}.{match[2]}"
    if (int(match[1]), int(match[2])) < OLDEST[name]:
        oldest = ".".join(map(str, OLDEST[name]))
        raise PrerequisiteMissing(f"{VARIABLE} is {name} {version}; {oldest} or newer is needed.")
    return name, version
