"""Tools are built once, and a missing one is reported with the cure."""

import threading
from pathlib import Path

import pytest

from stack import paths
from stack.cli import FAILED, main
from stack.errors import PrerequisiteMissing
from stack.setup import tools
from stack.setup.tools import Tool, ToolBuildFailed

TOOL = Tool("a-tool", "example.org/a-tool", "v1.0.0", "these tests")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds the shell's own programs and no Go, and an empty folder of tools."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(paths, "TOOLS", tmp_path / "tools")
    return programs


def fake_go(folder: Path, script: str) -> None:
    program = folder / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_without_go_the_reason_names_the_cure(machine: Path) -> None:
    reason = tools.reason_missing(TOOL)
    assert reason is not None
    assert "a-tool v1.0.0 is not built and Go is missing" in reason
    assert "run `make tools`" in reason
    with pytest.raises(PrerequisiteMissing, match="Go is missing"):
        tools.path(TOOL)


def test_what_is_built_needs_no_go(machine: Path) -> None:
    paths.TOOLS.mkdir()
    TOOL.target.touch()
    assert tools.reason_missing(TOOL) is None
    assert tools.path(TOOL) == TOOL.target


def test_two_at_once_build_once(machine: Path, tmp_path: Path) -> None:
    built = tmp_path / "built"
    fake_go(machine, f'echo "$3 $4" >> {built}; echo program > "$GOBIN/a-tool"')
    threads = [threading.Thread(target=tools.path, args=(TOOL,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built.read_text().splitlines() == ["-ldflags=-s -w example.org/a-tool@v1.0.0"]
    assert TOOL.target.read_text() == "program\n"


def test_a_failed_build_leaves_nothing_and_says_what_go_said(machine: Path) -> None:
    fake_go(machine, "echo no such host >&2; exit 1")
    with pytest.raises(ToolBuildFailed, match="no such host"):
        tools.path(TOOL)
    assert [path.name for path in paths.TOOLS.iterdir()] == ["a-tool.lock"]


def test_the_command_goes_on_without_go(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools"]) == 0
    output = capsys.readouterr().err
    assert all(f"{tool.name} {tool.version} is not built" in output for tool in tools.TOOLS)


def test_one_tool_is_named_by_its_file(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths.TOOLS.mkdir()
    tools.VERSITYGW.target.touch()
    assert main(["tools", "versitygw"]) == 0
    assert capsys.readouterr().out == f"{tools.VERSITYGW.target}\n"


def test_one_tool_that_cannot_be_built_is_an_error(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "versitygw"]) == FAILED
    assert "versitygw v1.8.0 is not built and Go is missing: install Go" in capsys.readouterr().err
