"""The installed java program. Standard library only."""

import os
import re
import shutil
import subprocess

from stack.errors import PrerequisiteMissing

JAVA_PACKAGE = "openjdk-17-jre-headless or openjdk-21-jre-headless"


def java() -> str:
    """Return the java program of JAVA_HOME, or of the PATH; raises `PrerequisiteMissing` if there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which(f"{home}/bin/java" if home else "java")
    if program is None:
        where = f"JAVA_HOME ({home})" if home else "PATH"
        raise PrerequisiteMissing(f"There is no java in {where}: install {JAVA_PACKAGE}, or set JAVA_HOME.")
    return program


def java_version(program: str) -> int | None:
    """Return the major version of a java program, None if it does not print one."""
    completed = subprocess.run(
        (program, "-version"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    match = re.search(r'version "(\d+)', completed.stderr)
    return int(match[1]) if match else None
