"""Downloads with Maven: the pinned sets of jars in stack/setup/maven/, verified, each in its own folder."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.errors import DownloadFailed
from stack.setup import checksums

POMS = Path(__file__).with_name("maven")


@dataclass(frozen=True)
class JarSet:
    """One pom of stack/setup/maven/, the Maven goal that copies its jars, and a title."""

    name: str
    goal: str
    title: str

    @property
    def pom(self) -> Path:
        """The pom that pins the versions."""
        return POMS / f"{self.name}.xml"

    @property
    def stamp(self) -> str:
        """Changes when the pom or a checksum of the set changes."""
        sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(checksums.expected(self.name).items()))
        return hashlib.sha256(self.pom.read_bytes() + sums.encode()).hexdigest()


KAFKA = JarSet("kafka", "copy-dependencies", "Kafka 4.3.1")
SPARK = JarSet("spark", "copy", "Spark's connectors")
MARIADB = JarSet("mariadb", "copy", "MariaDB 11.4.5")
MYSQL = JarSet("mysql", "copy", "MySQL 8.0.15 for the tests")
PLANTUML = JarSet("plantuml", "copy", "PlantUML 1.2026.8")


def is_complete(jars: JarSet, target: Path) -> bool:
    """Return whether `target` is complete and was made from the present pom."""
    stamp = stamp_of(target)
    return target.is_dir() and stamp.exists() and stamp.read_text() == jars.stamp


def stamp_of(target: Path) -> Path:
    """Return the file beside a target that records what it was made from."""
    return target.with_name(f".{target.name}.stamp")


def staging(target: Path) -> Path:
    """Create an empty folder beside `target`, to be renamed when it is complete."""
    staged = target.with_name(f".{target.name}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    return staged


def publish(jars: JarSet, staged: Path, target: Path) -> None:
    """Replace `target` with a complete staged folder."""
    stamp_of(target).unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    staged.rename(target)
    stamp_of(target).write_text(jars.stamp)


def fetch(jars: JarSet, target: Path) -> None:
    """Download the set into `target` and verify it.

    Raises `DownloadFailed` with Maven's last lines, `ChecksumMismatch` if a file is not the committed one.
    """
    staged = staging(target)
    download(jars, staged)
    publish(jars, staged, target)


def download(jars: JarSet, folder: Path) -> None:
    """Download the set into an empty folder and verify every file."""
    goal = f"dependency:{jars.goal}"
    where = (f"-DoutputDirectory={folder}", f"-Dmdep.outputDirectory={folder}")
    command = ("mvn", "-B", "-q", "--strict-checksums", "-f", str(jars.pom), goal, *where)
    completed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise DownloadFailed(
            f"Maven could not fetch {jars.title}; check the network and try again. Maven's output:\n"
            f"{(completed.stdout + completed.stderr).strip()[-1500:]}"
        )
    checksums.verify(folder, jars.name)
