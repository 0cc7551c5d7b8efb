"""The java program of JAVA_HOME or of the PATH, and its version."""

from pathlib import Path

import pytest

from stack.errors import PrerequisiteMissing
from stack.java import java, java_version


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21.0.1", 21), ("1.8.0_402", 1), ("24-ea", 24)])
def test_reads_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, major: int) -> None:
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert java() == str(program)
    assert java_version(java()) == major


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(PrerequisiteMissing, match=r"no java in JAVA_HOME \(.*nowhere\)"):
        java()
