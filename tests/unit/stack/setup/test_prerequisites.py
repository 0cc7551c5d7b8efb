"""Missing prerequisites are reported in one sentence each, all at once."""

from pathlib import Path

import pytest

from stack.errors import PrerequisiteMissing
from stack.setup import prerequisites


def fake_java(folder: Path, version: str) -> None:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but java 17 and mvn."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    fake_java(tmp_path, "17.0.15")
    (tmp_path / "mvn").write_text("#!/bin/sh\n")
    (tmp_path / "mvn").chmod(0o755)
    return tmp_path


def test_nothing_is_missing_here(machine: Path) -> None:
    prerequisites.check()


def test_another_java_is_named(machine: Path) -> None:
    fake_java(machine, "11.0.2")
    with pytest.raises(PrerequisiteMissing, match=r"Java 17 or 21 is needed, and .*java is Java 11: install"):
        prerequisites.check()


def test_every_fault_is_reported(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "java").unlink()
    (machine / "mvn").unlink()
    monkeypatch.setattr(prerequisites, "DISK_GB", 1e9)
    with pytest.raises(PrerequisiteMissing) as missing:
        prerequisites.check()
    java, maven, disk = str(missing.value).splitlines()
    assert java.startswith("There is no java in PATH: install")
    assert maven == "Maven (mvn) is missing: install the package maven."
    assert "of disk space are needed" in disk or "free disk space" in disk


@pytest.mark.parametrize("variable", ["DRIFTLINE_MYSQLD", "DB_HOST"])
def test_the_monitor_needs_no_java_beside_a_database(
    variable: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DRIFTLINE_MYSQLD", "DB_HOST"):
        monkeypatch.delenv(name, raising=False)
    prerequisites.check(prerequisites.FOR_MONITOR)
    (machine / "java").unlink()
    with pytest.raises(PrerequisiteMissing, match=r"no database server: set DRIFTLINE_MYSQLD=\S+d .*There is no java"):
        prerequisites.check(prerequisites.FOR_MONITOR)
    monkeypatch.setenv(variable, "something")
    prerequisites.check(prerequisites.FOR_MONITOR)


def test_the_python_environment_needs_neither_java_nor_maven(machine: Path) -> None:
    (machine / "java").unlink()
    (machine / "mvn").unlink()
    prerequisites.check(prerequisites.FOR_PYTHON)
