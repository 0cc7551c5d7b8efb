"""The reason why images cannot be built, and the description of a container."""

import json
import os
import shutil
from pathlib import Path

import pytest

from devtools.packaging import images
from devtools.packaging.images import Image
from devtools.packaging.runc_container import EXECUTABLE, RuncContainer

CONFIGURATION = {
    "User": "10001:10001",
    "Env": ["PATH=/bin", "DRIFTLINE_VAR=/var/lib/driftline"],
    "Entrypoint": ["python", "-m", "eda"],
    "Cmd": None,
    "WorkingDir": "/app",
}


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image("eda", tmp_path / "root", CONFIGURATION, 1)


def described(container: RuncContainer) -> dict[str, dict[str, object]]:
    container.command()
    read: dict[str, dict[str, object]] = json.loads((container.folder / "config.json").read_text())
    return read


def test_programs_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = images.reason_missing()
    assert reason is not None
    assert "no buildah, debootstrap, runc" in reason


def test_an_ordinary_user_cannot_build_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: program)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "needs root" in str(images.reason_missing())


def test_a_container_has_no_rights_and_a_read_only_root(image: Image, tmp_path: Path) -> None:
    description = described(RuncContainer(image, tmp_path / "one", {"DB_USER": "u"}))
    process = description["process"]
    assert process["user"] == {"uid": 10001, "gid": 10001}
    assert (process["capabilities"], process["noNewPrivileges"]) == ({}, True)
    assert process["env"] == ["PATH=/bin", "DRIFTLINE_VAR=/var/lib/driftline", "DB_USER=u"]
    assert process["args"] == ["python", "-m", "eda"]
    assert description["root"] == {"path": str(image.root), "readonly": True}


def test_only_the_volume_is_written_to(image: Image, tmp_path: Path) -> None:
    mounts = {"/var/lib/driftline": tmp_path / "volume", "/run/secrets/db_password": tmp_path / "password"}
    listed = described(RuncContainer(image, tmp_path / "one", mounts=mounts))["mounts"]
    assert isinstance(listed, list)
    rights = {mount["destination"]: mount["options"][-1] for mount in listed if mount["type"] == "bind"}
    assert rights == {"/etc/hosts": "ro", "/var/lib/driftline": "rw", "/run/secrets/db_password": "ro"}


@pytest.mark.parametrize(("options", "executable"), [(None, False), (EXECUTABLE, True)])
def test_files_in_tmp_are_executable_on_request_only(
    image: Image, tmp_path: Path, options: tuple[str, ...] | None, executable: bool
) -> None:
    container = RuncContainer(image, tmp_path / "one")
    container = container if options is None else RuncContainer(image, tmp_path / "one", tmp_options=options)
    listed = described(container)["mounts"]
    assert isinstance(listed, list)
    [mount_options] = [mount["options"] for mount in listed if mount["destination"] == "/tmp"]  # noqa: S108  # inside
    assert ("noexec" not in mount_options) is executable
