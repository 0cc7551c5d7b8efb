"""Draws PlantUMLDiagrams/: `python -m devtools.diagrams`, what `make diagrams` calls.

Pictures depend on the machine's fonts, so they are not compared byte by byte: `rendered/manifest.txt` says which source
each was drawn from, and what was drawn. Only what is outdated is drawn again.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from stack import paths
from stack.console import print_error, print_line, step
from stack.errors import StackError
from stack.locks import exclusive_lock
from stack.setup import checksums, jars
from stack.setup.prerequisites import java

FOLDER = paths.ROOT / "PlantUMLDiagrams"
JAR_FOLDER = paths.JARS / jars.PLANTUML.name
FORMATS = ("svg", "png")
MANIFEST = "manifest.txt"
INCLUDE = re.compile(r"^!include (\S+)$", re.MULTILINE)
JVM = ("-Djava.awt.headless=true", "-Duser.language=en", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")
FONTS = "DejaVu Sans, Verdana, sans-serif"
OPTIONS = ("--disable-metadata", "--no-error-image", "--charset", "UTF-8")


class NotDrawn(StackError):
    """A diagram has an error, so it was not drawn."""


def sources(folder: Path = FOLDER) -> list[Path]:
    """The diagrams' sources, by name."""
    return sorted(folder.glob("*.puml"))


def fingerprint(source: Path) -> str:
    """The SHA-256 sum of all that a picture is drawn from: its source, what that includes, and PlantUML's own sum."""
    parts = [source.read_bytes()]
    parts += [(source.parent / name).read_bytes() for name in INCLUDE.findall(source.read_text())]
    parts += [digest.encode() for digest in checksums.expected(jars.PLANTUML.name).values()]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def rendered(source: Path, kind: str) -> Path:
    """The picture of a source in a format."""
    return source.parent / "rendered" / f"{source.stem}.{kind}"


def described(source: Path) -> dict[str, str]:
    """What the manifest has to say of a source and its pictures as they are: sums by name, "missing" for no file."""
    drawn = (rendered(source, kind) for kind in FORMATS)
    sums = {path.name: checksums.sha256(path) if path.exists() else "missing" for path in drawn}
    return {source.name: fingerprint(source), **sums}


def noted(folder: Path = FOLDER) -> dict[str, str]:
    """What the manifest says: sums by name."""
    manifest = folder / "rendered" / MANIFEST
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def outdated(folder: Path = FOLDER) -> list[Path]:
    """The sources whose pictures are missing, were changed since, or were drawn from something else."""
    before = noted(folder)
    return [source for source in sources(folder) if not described(source).items() <= before.items()]


def strays(folder: Path = FOLDER) -> list[Path]:
    """The files beside the pictures that no source has."""
    wanted = {MANIFEST, *(rendered(source, kind).name for source in sources(folder) for kind in FORMATS)}
    return sorted(path for path in (folder / "rendered").glob("*") if path.name not in wanted)


def jar() -> Path:
    """PlantUML's jar, fetched by Maven if it is not there."""
    paths.JARS.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(paths.JARS / f".{jars.PLANTUML.name}.lock"):
        if not jars.is_complete(jars.PLANTUML, JAR_FOLDER):
            with step(jars.PLANTUML.title):
                jars.fetch(jars.PLANTUML, JAR_FOLDER)
    return next(JAR_FOLDER.glob("*.jar"))


def render(of: Iterable[Path], kind: str, into: Path) -> None:
    """Draw sources in a format, into an empty folder.

    Raises `NotDrawn` with what PlantUML says of an error; other `StackError`s where PlantUML cannot be had or run.
    """
    options = (*OPTIONS, f"--{kind}", "--output-dir", str(into.absolute()))
    _plantuml(*options, *(str(source.absolute()) for source in of))
    for picture in into.glob("*.svg"):
        _name_fonts(picture)


def _name_fonts(picture: Path) -> None:
    """Name fonts as wide as the one that Java measured the texts with; in a narrower one their letters stand apart."""
    drawn = picture.read_text(encoding="utf-8")
    picture.write_text(drawn.replace('font-family="sans-serif"', f'font-family="{FONTS}"'), encoding="utf-8")


def _plantuml(*arguments: str) -> None:
    command = (java(), *JVM, "-jar", str(jar()), *arguments)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDrawn(f"PlantUML found an error in a diagram:\n{(done.stdout + done.stderr).strip()[-1500:]}")


def update(folder: Path = FOLDER) -> list[Path]:
    """Draw what is outdated, remove what no source has, and write the manifest; give the sources that were drawn."""
    drawn = outdated(folder)
    if drawn:
        _draw(drawn, folder)
    for stray in strays(folder):
        stray.unlink()
    note(folder)
    return drawn


def _draw(of: list[Path], folder: Path) -> None:
    (folder / "rendered").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as staged:
        for kind in FORMATS:
            render(of, kind, Path(staged))
        for picture in Path(staged).iterdir():
            picture.replace(folder / "rendered" / picture.name)


def note(folder: Path = FOLDER) -> None:
    """Write the manifest: the pictures are those of their sources."""
    sums = (sum_ for source in sources(folder) for sum_ in described(source).items())
    (folder / "rendered" / MANIFEST).write_text("".join(f"{digest}  {name}\n" for name, digest in sums))


def main() -> int:
    """Draw what is outdated; the exit status is 2 if that failed."""
    try:
        drawn = update()
    except StackError as error:
        print_error(str(error))
        return 2
    print_line(f"Drawn: {', '.join(source.stem for source in drawn)}." if drawn else "All diagrams are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
