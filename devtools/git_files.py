"""The files of the checkout."""

import subprocess
from pathlib import Path

from stack import paths


def tracked_files() -> list[Path]:
    """What git tracks, or would track if it were added, and exists."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
    return [file for name in sorted({*listed.split("\0")} - {""}) if (file := paths.ROOT / name).is_file()]
