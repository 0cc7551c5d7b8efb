"""stack/setup/python.sh finds a Python that fits, or says in one sentence what is missing."""

import subprocess
from pathlib import Path

from stack import paths


def run_find_python(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    script = paths.STACK / "setup" / "python.sh"
    return subprocess.run(
        ("/bin/sh", str(script)), env={"PATH": str(folder), **variables}, capture_output=True, text=True, check=False
    )


def fake(folder: Path, name: str, *, fits: bool, ensurepip: bool) -> Path:
    program = folder / name
    answers = f'case "$2" in *ensurepip*) exit {int(not ensurepip)};; *) exit {int(not fits)};; esac'
    program.write_text(f"#!/bin/sh\n{answers}\n")
    program.chmod(0o755)
    return program


def test_prefers_the_newest_that_fits(tmp_path: Path) -> None:
    fake(tmp_path, "python3.11", fits=True, ensurepip=True)
    newest = fake(tmp_path, "python3.12", fits=True, ensurepip=True)
    assert run_find_python(tmp_path).stdout == f"{newest}\n"


def test_takes_the_one_that_is_asked_for_by_name_or_path(tmp_path: Path) -> None:
    fake(tmp_path, "python3.12", fits=True, ensurepip=True)
    older = fake(tmp_path, "python3.11", fits=True, ensurepip=True)
    assert run_find_python(tmp_path, PYTHON="python3.11").stdout == f"{older}\n"
    assert run_find_python(tmp_path, PYTHON=str(older)).stdout == f"{older}\n"


def test_takes_no_other_than_the_one_that_is_asked_for(tmp_path: Path) -> None:
    fake(tmp_path, "python3.12", fits=True, ensurepip=True)
    fake(tmp_path, "python3.13", fits=False, ensurepip=True)
    completed = run_find_python(tmp_path, PYTHON="python3.13")
    assert (completed.stdout, completed.returncode) == ("", 1)
    assert completed.stderr.startswith("PYTHON is set to python3.13, which is not a working Python 3.11 or 3.12")


def test_passes_over_what_does_not_run_or_lacks_ensurepip(tmp_path: Path) -> None:
    fake(tmp_path, "python3.12", fits=False, ensurepip=True)
    fake(tmp_path, "python3.11", fits=True, ensurepip=False)
    plain = fake(tmp_path, "python3", fits=True, ensurepip=True)
    assert run_find_python(tmp_path).stdout == f"{plain}\n"


def test_says_that_ensurepip_is_missing(tmp_path: Path) -> None:
    fake(tmp_path, "python3", fits=True, ensurepip=False)
    completed = run_find_python(tmp_path)
    assert completed.returncode == 1
    assert completed.stderr.startswith("Python's ensurepip is missing in python3: install")


def test_says_that_python_is_missing(tmp_path: Path) -> None:
    fake(tmp_path, "python3", fits=False, ensurepip=True)
    completed = run_find_python(tmp_path)
    assert (completed.stdout, completed.returncode) == ("", 1)
    assert completed.stderr.startswith("Python 3.11 or 3.12 is missing: install")
