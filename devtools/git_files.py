"""The files that git tracks."""

import subprocess
from pathlib import Path

from stack import paths


def tracked_files() -> list[Path]:
    """Return the existing files that git tracks or does not ignore."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
    return [file for name in sorted({*listed.split("\0")} - {""}) if (file := paths.ROOT / name).is_file()]
