"""The archive of the classes that Spark loads: a session finds it beside its jars, and starts in half the time."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from stack import paths
from stack.errors import StartFailed
from stack.java import java
from stack.servers import class_archive

OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.timezone=UTC")


def archive() -> Path:
    """Return the file of the archive for this Java and this Spark, which need not exist."""
    spark = find_spec("pyspark.sql")
    if spark is None or spark.origin is None:
        raise StartFailed("Spark is not installed; run `make setup` first.")
    name = class_archive.archive_of("spark", java(), Path(spark.origin).parents[1] / "jars").name
    return paths.SPARK_JARS / name


def options_file() -> Path:
    """Return the file of the options of Java that read the archive, from which sessions take them."""
    return paths.SPARK_JARS / "java.options"


def is_made() -> bool:
    """Whether the archive of this Java and this Spark exists, and sessions read it."""
    return archive().exists() and options_file().exists() and options_file().read_text() == _options()


def make() -> None:
    """Make the archive unless it exists, remove those of another Java or Spark, and write the options that read it."""
    for other in paths.SPARK_JARS.glob("*.jsa"):
        if other != archive():
            other.unlink()
    class_archive.make(archive(), _run)
    staged = options_file().with_suffix(".partial")
    staged.write_text(_options())
    staged.replace(options_file())


def _options() -> str:
    return " ".join(class_archive.reading(archive()))


def _run(options: tuple[str, ...]) -> bool:
    """Run a session in a process of its own, whose Java writes the archive when it ends."""
    command = (sys.executable, "-m", "stack.setup.spark.spark_session", " ".join((*OPTIONS, *options)))
    completed = subprocess.run(
        command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise StartFailed(f"Spark could not archive its classes:\n{(completed.stdout + completed.stderr)[-2000:]}")
    return True
