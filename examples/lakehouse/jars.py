"""Jars of programs that the project lacks: the pinned sets of maven/, each fetched once into build/examples/.

As a program it fetches those of Connect and Iceberg; the first run that needs a set fetches it too.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from examples.environments import BUILD

POMS, JARS = Path(__file__).with_name("maven"), BUILD / "examples" / "jars"
PLUGINS = "connect-plugins"
"""The group of the sets that Connect loads as plugins."""
FETCHED = (("connect", ""), ("debezium-mariadb", PLUGINS), ("debezium-jdbc", PLUGINS), ("iceberg", ""))
"""The sets, each with its group, that a run without Hudi tables uses."""


def main() -> int:
    """Fetch the sets that are missing."""
    for name, group in FETCHED:
        jars(name, group)
    return 0


def jars(name: str, group: str = "") -> Path:
    """Return the folder of a set of jars, which is fetched again when its pom has changed.

    Raises:
        SystemExit: Maven is missing or could not fetch them.
    """
    pom, folder = POMS / f"{name}.xml", JARS / group / name
    stamp, pinned = folder / ".stamp", hashlib.sha256(pom.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != pinned:
        shutil.rmtree(folder, ignore_errors=True)
        _fetch(pom, folder)
        stamp.write_text(pinned)
    return folder


def _fetch(pom: Path, folder: Path) -> None:
    """Copy the jars that a pom pins, verified by the repository's checksums."""
    command = (
        "mvn", "-B", "-q", "--strict-checksums", "-f", str(pom), "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}",
    )  # fmt: skip
    try:
        completed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SystemExit(f"Maven is missing, which fetches the jars of {pom}; install the package maven.") from error
    if completed.returncode:
        output = (completed.stdout + completed.stderr).strip()[-1500:]
        raise SystemExit(f"Maven could not fetch the jars of {pom}; check the network, run it again:\n{output}")


if __name__ == "__main__":
    sys.exit(main())
