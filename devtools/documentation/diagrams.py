"""`python -m devtools.documentation.diagrams`, which `make diagrams` calls: draws the diagrams of PlantUMLDiagrams/.

Pictures depend on the machine's fonts and cannot be compared byte by byte: `rendered/manifest.txt` records the source
that each was drawn from, and its sum. Only outdated pictures are drawn again.
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
from stack.java import java
from stack.locks import exclusive_lock
from stack.setup import checksums, jars

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
    """Return the sources of the diagrams, by name."""
    return sorted(folder.glob("*.puml"))


def fingerprint(source: Path) -> str:
    """Return the SHA-256 sum of everything that a picture depends on: source, included files and PlantUML."""
    parts = [source.read_bytes()]
    parts += [(source.parent / name).read_bytes() for name in INCLUDE.findall(source.read_text())]
    parts += [digest.encode() for digest in checksums.expected(jars.PLANTUML.name).values()]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def rendered(source: Path, kind: str) -> Path:
    """Return the picture of a source in a format."""
    return source.parent / "rendered" / f"{source.stem}.{kind}"


def manifest_entries(source: Path) -> dict[str, str]:
    """Return the manifest entries of a source and its present pictures: sums by name, or "missing"."""
    drawn = (rendered(source, kind) for kind in FORMATS)
    sums = {path.name: checksums.sha256(path) if path.exists() else "missing" for path in drawn}
    return {source.name: fingerprint(source), **sums}


def recorded(folder: Path = FOLDER) -> dict[str, str]:
    """Return the manifest: sums by name."""
    manifest = folder / "rendered" / MANIFEST
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def outdated(folder: Path = FOLDER) -> list[Path]:
    """Return the sources whose pictures are missing, were changed, or were drawn from something else."""
    entries = recorded(folder)
    return [source for source in sources(folder) if not manifest_entries(source).items() <= entries.items()]


def strays(folder: Path = FOLDER) -> list[Path]:
    """Return the files beside the pictures that belong to no source."""
    expected = {MANIFEST, *(rendered(source, kind).name for source in sources(folder) for kind in FORMATS)}
    return sorted(path for path in (folder / "rendered").glob("*") if path.name not in expected)


def jar() -> Path:
    """Return PlantUML's jar; download it with Maven if it is missing."""
    paths.JARS.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(paths.JARS / f".{jars.PLANTUML.name}.lock"):
        if not jars.is_complete(jars.PLANTUML, JAR_FOLDER):
            with step(jars.PLANTUML.title):
                jars.fetch(jars.PLANTUML, JAR_FOLDER)
    return next(JAR_FOLDER.glob("*.jar"))


def render(of: Iterable[Path], kind: str, into: Path) -> None:
    """Draw sources in a format, into an empty folder.

    Raises `NotDrawn` with PlantUML's message; another `StackError` if PlantUML cannot be downloaded or run.
    """
    options = (*OPTIONS, f"--{kind}", "--output-dir", str(into.absolute()))
    _plantuml(*options, *(str(source.absolute()) for source in of))
    for picture in into.glob("*.svg"):
        _name_fonts(picture)


def _name_fonts(picture: Path) -> None:
    """Name fonts of the width that Java measured the texts with; narrower ones would spread the letters."""
    drawn = picture.read_text(encoding="utf-8")
    picture.write_text(drawn.replace('font-family="sans-serif"', f'font-family="{FONTS}"'), encoding="utf-8")


def _plantuml(*arguments: str) -> None:
    command = (java(), *JVM, "-jar", str(jar()), *arguments)
    completed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise NotDrawn(
            f"PlantUML found an error in a diagram:\n{(completed.stdout + completed.stderr).strip()[-1500:]}"
        )


def update(folder: Path = FOLDER) -> list[Path]:
    """Draw outdated pictures, remove those without a source, write the manifest; return the drawn sources."""
    drawn = outdated(folder)
    if drawn:
        _draw(drawn, folder)
    for stray in strays(folder):
        stray.unlink()
    record(folder)
    return drawn


def _draw(of: list[Path], folder: Path) -> None:
    (folder / "rendered").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as staged:
        for kind in FORMATS:
            render(of, kind, Path(staged))
        for picture in Path(staged).iterdir():
            picture.replace(folder / "rendered" / picture.name)


def record(folder: Path = FOLDER) -> None:
    """Record the present sources and pictures in the manifest."""
    sums = (sum_ for source in sources(folder) for sum_ in manifest_entries(source).items())
    (folder / "rendered" / MANIFEST).write_text("".join(f"{digest}  {name}\n" for name, digest in sums))


def main() -> int:
    """Draw outdated diagrams; the exit status is 2 after a failure."""
    try:
        drawn = update()
    except StackError as error:
        print_error(str(error))
        return 2
    print_line(f"Drawn: {', '.join(source.stem for source in drawn)}." if drawn else "All diagrams are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
