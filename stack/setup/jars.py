"""Downloads by Maven: the pinned sets of jars in stack/setup/maven/, verified, each in a folder of its own."""

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
    """One pom of stack/setup/maven/, how Maven copies what it names, and a title for people."""

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
    """Whether `target` was filled whole from the present pom."""
    stamp = stamp_of(target)
    return target.is_dir() and stamp.exists() and stamp.read_text() == jars.stamp


def stamp_of(target: Path) -> Path:
    """The file beside a target that says what it was filled from."""
    return target.with_name(f".{target.name}.stamp")


def staging(target: Path) -> Path:
    """An empty folder beside `target`, to be renamed to it when it is whole."""
    staged = target.with_name(f".{target.name}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    return staged


def publish(jars: JarSet, staged: Path, target: Path) -> None:
    """Put a whole staged folder in place of whatever is there."""
    stamp_of(target).unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    staged.rename(target)
    stamp_of(target).write_text(jars.stamp)


def fetch(jars: JarSet, target: Path) -> None:
    """Let Maven copy the set into `target`, verified.

    Raises `DownloadFailed` with Maven's last lines, `ChecksumMismatch` where a file is another than committed.
    """
    staged = staging(target)
    download(jars, staged)
    publish(jars, staged, target)


def download(jars: JarSet, folder: Path) -> None:
    """Let Maven copy the set into an empty folder and verify every file of it."""
    goal = f"dependency:{jars.goal}"
    where = (f"-DoutputDirectory={folder}", f"-Dmdep.outputDirectory={folder}")
    command = ("mvn", "-B", "-q", "--strict-checksums", "-f", str(jars.pom), goal, *where)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DownloadFailed(
            f"Maven could not fetch {jars.title}; try again when the network is well. It said:\n"
            f"{(done.stdout + done.stderr).strip()[-1500:]}"
        )
    checksums.verify(folder, jars.name)
