"""`python -m devtools.release`: the wheel in dist/, checked against the tree, its checksum and its release notes.

With `--tag v1.2.3` the tag must be the version of pyproject.toml, and CHANGELOG.md must no longer call it unreleased.
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
    """The tree cannot be released as it is."""


def version() -> str:
    """The version that pyproject.toml names."""
    named: str = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["version"]
    return named


def notes_of(version: str, changelog: str, *, released: bool) -> str:
    """A version's part of the changelog, without its heading.

    Raises `NotReleasable` if there is none, or, where it is `released`, if its heading still says unreleased.
    """
    found = re.search(rf"^## {re.escape(version)}\b(.*)\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    if found is None or not found[2].strip():
        raise NotReleasable(f"CHANGELOG.md has nothing under `## {version}`: say there what a user will notice.")
    if released and UNRELEASED in found[1]:
        raise NotReleasable(f"CHANGELOG.md calls {version} {UNRELEASED}: put the day there instead.")
    return found[2].strip() + "\n"


def check_tag(tag: str, version: str) -> None:
    """Raise `NotReleasable` unless the tag is the version's."""
    if tag != f"v{version}":
        raise NotReleasable(
            f"The tag is {tag} and pyproject.toml says {version}: tag v{version}, or change the version."
        )


def build(into: Path) -> Path:
    """Build the wheel, out of a source archive as others would; raises `NotReleasable` with what the build said."""
    uv = paths.BUILD / "uv" / "bin" / "uv"
    done = subprocess.run(
        (str(uv), "build", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(into)),
        cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotReleasable(f"The wheel could not be built:\n{done.stderr[-2000:]}")
    return next(into.glob("*.whl"))


def check_wheel(wheel: Path) -> None:
    """Raise `NotReleasable` unless the wheel holds each file that git tracks below src/driftline/, and no other."""
    source = paths.ROOT / "src"
    library = source / "driftline"
    tracked = {file.relative_to(source).as_posix() for file in tracked_files() if file.is_relative_to(library)}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    if held != tracked:
        missing, foreign = sorted(tracked - held), sorted(held - tracked)
        raise NotReleasable(
            f"{wheel.name} lacks {missing or 'nothing'}, and has {foreign or 'nothing'} that git has not."
        )


def main(arguments: list[str] | None = None) -> int:
    """Fill dist/ anew; what is wrong is one sentence, and exit status 1."""
    parser = argparse.ArgumentParser(prog="python -m devtools.release", description=__doc__.partition("\n")[0])
    parser.add_argument("--tag", help="the tag that is released, v1.2.3")
    tag: str | None = parser.parse_args(arguments).tag
    try:
        wheel = _release(version(), tag)
    except NotReleasable as error:
        print_error(str(error))
        return FAILED
    print_line(f"{wheel.relative_to(paths.ROOT)}: built and checked; its notes are dist/NOTES.md.")
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
