"""A `mariadbd` or `mysqld` of the user's own, named by DRIFTLINE_MYSQLD, started in place of the downloaded MariaDB.

Standard library only: setting up asks whether one is named. docs/decisions says why none is looked for on the PATH.
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
    f"If it was denied something, a profile of the system (AppArmor, SELinux) keeps it to its own folders: unset"
    f" {VARIABLE}, or set DB_HOST to use a server that runs."
)
OLDEST = {MARIADB.name: (10, 6), MYSQL.name: (8, 0)}


def named_server(environment: Mapping[str, str]) -> SqlServer | None:
    """The server that an environment names, None where it names none.

    Raises `PrerequisiteMissing` if the program does not run, or is too old.
    """
    named = environment.get(VARIABLE)
    if not named:
        return None
    program = Path(named).absolute()
    libraries = {LIBRARIES: environment[LIBRARIES]} if environment.get(LIBRARIES) else {}
    name, version = _identity(program, _version(program, {**environment}))
    kind = MARIADB if name == MARIADB.name else MYSQL
    return replace(kind, version=version, program=program, environment=libraries, advice=ADVICE)


def _version(program: Path, environment: Mapping[str, str]) -> str:
    command = (str(program), "--no-defaults", "--version")
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, which cannot be run: {error.strerror}.") from error
    if done.returncode:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, which does not run: {done.stderr.strip()[-300:]}")
    return done.stdout


def _identity(program: Path, said: str) -> tuple[str, str]:
    """The server's kind and version (8.0), out of `mysqld  Ver 8.0.15 …` or `mariadbd  Ver 11.4.5-MariaDB …`."""
    found = re.search(r"Ver (\d+)\.(\d+)\.\d+(-MariaDB)?", said)
    if found is None:
        raise PrerequisiteMissing(f"{VARIABLE} is {program}, neither mariadbd nor mysqld: it says {said[:100]!r}.")
    name, version = MARIADB.name if found[3] else MYSQL.name, f"{found[1]}.{found[2]}"
    if (int(found[1]), int(found[2])) < OLDEST[name]:
        oldest = ".".join(map(str, OLDEST[name]))
        raise PrerequisiteMissing(f"{VARIABLE} is {name} {version}; {oldest} or newer is needed.")
    return name, version
