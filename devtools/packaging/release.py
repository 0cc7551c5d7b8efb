"""`python -m devtools.packaging.release`: builds the wheel in dist/ and checks it, with its checksum and release notes.

With `--tag v1.2.3` the tag must be the version of pyproject.toml, and CHANGELOG.md must give its date.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from devtools.git_files import tracked_files
from stack import paths
from stack.console import print_error, print_line
from stack.errors import StackError

DIST = paths.ROOT / "dist"
UNRELEASED = "unreleased"
FAILED = 1


class NotReleasable(StackError):
    """The checkout cannot be released in its present state."""


def version() -> str:
    """Return the version in pyproject.toml."""
    current: str = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["version"]
    return current


def notes_of(version: str, changelog: str, *, released: bool) -> str:
    """Return a version's section of the changelog without its heading.

    Raises `NotReleasable` if it is missing or empty, or if it is `released` and its heading says unreleased.
    """
    section = re.search(rf"^## {re.escape(version)}\b(.*)\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    if section is None or not section[2].strip():
        raise NotReleasable(f"CHANGELOG.md has nothing under `## {version}`: add what users will notice.")
    if released and UNRELEASED in section[1]:
        raise NotReleasable(f"CHANGELOG.md calls {version} {UNRELEASED}: replace that with the date.")
    return section[2].strip() + "\n"


def check_tag(tag: str, version: str) -> None:
    """Raise `NotReleasable` unless the tag is the version's."""
    if tag != f"v{version}":
        raise NotReleasable(
            f"The tag is {tag} and pyproject.toml says {version}: tag v{version}, or change the version."
        )


def build(into: Path) -> Path:
    """Build the wheel from a source archive; raises `NotReleasable` with the output of a failed build."""
    uv = paths.BUILD / "uv" / "bin" / "uv"
    completed = subprocess.run(
        (str(uv), "build", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(into)),
        cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if completed.returncode:
        raise NotReleasable(f"The wheel could not be built:\n{completed.stderr[-2000:]}")
    return next(into.glob("*.whl"))


def _is_packaged(file: Path, library: Path) -> bool:
    return file.is_relative_to(library) and file.name != "README.md"


def check_wheel(wheel: Path) -> None:
    """Raise `NotReleasable` unless the wheel contains exactly the files that git tracks below src/driftline/.

    The READMEs of the folders are for contributors and are not packaged.
    """
    source = paths.ROOT / "src"
    library = source / "driftline"
    tracked = {file.relative_to(source).as_posix() for file in tracked_files() if _is_packaged(file, library)}
    with zipfile.ZipFile(wheel) as archive:
        packaged = {name for name in archive.namelist() if ".dist-info/" not in name}
    if packaged != tracked:
        missing, foreign = sorted(tracked - packaged), sorted(packaged - tracked)
        raise NotReleasable(
            f"{wheel.name} lacks {missing or 'nothing'}, and has {foreign or 'nothing'} that git does not track."
        )


def main(arguments: list[str] | None = None) -> int:
    """Write dist/ again; a failure is one message, and exit status 1."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.packaging.release", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--tag", help="the tag to release, as in v1.2.3")
    tag: str | None = parser.parse_args(arguments).tag
    try:
        wheel = _release(version(), tag)
    except NotReleasable as error:
        print_error(str(error))
        return FAILED
    print_line(f"{wheel.relative_to(paths.ROOT)}: built and checked; release notes in dist/NOTES.md.")
    return 0


def _release(version: str, tag: str | None) -> Path:
    if tag:
        check_tag(tag, version)
    notes = notes_of(version, (paths.ROOT / "CHANGELOG.md").read_text(), released=bool(tag))
    shutil.rmtree(DIST, ignore_errors=True)
    wheel = build(DIST)
    check_wheel(wheel)
    (DIST / "NOTES.md").write_text(notes)
    (DIST / "SHA256SUMS").write_text(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n")
    return wheel


if __name__ == "__main__":
    sys.exit(main())
