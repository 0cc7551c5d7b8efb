"""A step of setting up is done while its file stays the same."""

import sys
from pathlib import Path

import pytest

from stack.errors import DownloadFailed
from stack.setup import virtualenv
from stack.setup.virtualenv import InstallStep, run


def test_a_step_is_done_until_its_file_changes(tmp_path: Path) -> None:
    lock = tmp_path / "dev.lock"
    lock.write_text("a==1")
    step = InstallStep("Packages", lock, tmp_path / "stamp")
    assert not step.is_done()
    step.finish()
    assert step.is_done()
    lock.write_text("a==2")
    assert not step.is_done()


def test_a_failed_command_is_named_with_its_words() -> None:
    with pytest.raises(DownloadFailed, match=r"`sh -c echo no network; exit 3` failed(.|\n)*no network"):
        run("sh", "-c", "echo no network; exit 3")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallStep:
    """The packages of an environment whose Python is this one."""
    (tmp_path / "dev.lock").touch()
    packages = InstallStep("Packages", tmp_path / "dev.lock", tmp_path / "stamp")
    packages.finish()
    monkeypatch.setattr(virtualenv, "PACKAGES", packages)
    monkeypatch.setattr(virtualenv, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(virtualenv, "PYTHON", Path(sys.executable))
    return packages


def test_a_requested_python_replaces_the_environment(installed: InstallStep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON", "python3")
    virtualenv.forget_another_python()
    assert installed.is_done()
    monkeypatch.setattr("sys.version_info", (3, 99, 0))
    virtualenv.forget_another_python()
    assert not installed.is_done()
    assert virtualenv.UNFINISHED.exists()


def test_an_environment_stays_without_a_requested_python(
    installed: InstallStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr("sys.version_info", (3, 99, 0))
    virtualenv.forget_another_python()
    assert installed.is_done()
