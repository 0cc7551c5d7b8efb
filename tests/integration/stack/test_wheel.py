"""The wheel, built and used as somebody would who has nothing else of Driftline's."""

import os
import subprocess
import sys
from pathlib import Path

from devtools.packaging import release
from stack import paths

PROGRAM = """
import driftline.store.migrate, driftline.backtesting
from importlib.resources import files
assert driftline.__file__.startswith({folder!r}), driftline.__file__
assert [*files("driftline.store").joinpath("migrations").iterdir()]
"""


def test_the_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    wheel = release.build(tmp_path / "dist")
    release.check_wheel(wheel)
    installed = tmp_path / "installed"
    uv = paths.BUILD / "uv" / "bin" / "uv"
    command = (str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(installed), str(wheel))
    subprocess.run((*command, "--python", sys.executable), check=True)
    code = PROGRAM.format(folder=str(installed))
    subprocess.run(
        (sys.executable, "-c", code), cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)}, check=True
    )
