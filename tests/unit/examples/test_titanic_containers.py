"""The Dockerfiles of the Titanic example: linted, on the base of all images, with a numbered user."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from stack import paths

FOLDER = paths.ROOT / "examples" / "titanic"
DOCKERFILES = [FOLDER / "Dockerfile", FOLDER / "cloud" / "Dockerfile"]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_a_dockerfile_is_valid_pinned_and_without_rights(file: Path) -> None:
    command = (paths.VENV / "bin" / "hadolint", str(file))
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout) == (0, "")
    text = file.read_text()
    base = re.search(r"^ARG BASE=(.*)$", (paths.ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert base
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == [base[1]]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_what_a_dockerfile_copies_is_admitted_to_the_build(file: Path) -> None:
    ignored = file.with_name(f"{file.name}.dockerignore").read_text().splitlines()
    admitted = tuple(line[1:] for line in ignored if line.startswith("!"))
    copied = " ".join(re.findall(r"^COPY (.*) \S+$", file.read_text(), re.MULTILINE)).split()
    assert copied
    assert [source for source in copied if not (paths.ROOT / source).exists() or not source.startswith(admitted)] == []


def test_the_image_on_fargate_gives_empty_volumes_their_owner() -> None:
    template = (FOLDER / "cloud" / "cloudformation.yaml").read_text()
    volumes = re.findall(r"^        - \{Name: (\w+)\}$", template, re.MULTILINE)
    paths_of = dict(re.findall(r"\{SourceVolume: (\w+), ContainerPath: ([^,}]+)", template))
    dockerfile = (paths.ROOT / "deploy" / "Dockerfile").read_text()
    stage = dockerfile.split(" AS serving\n")[1].split("\nFROM ")[0]
    (declared,) = re.findall(r"^VOLUME (.*)$", stage, re.MULTILINE)
    assert {*json.loads(declared)} == {paths_of[volume] for volume in volumes} == {"/tmp", "/var/lib/driftline"}  # noqa: S108
    assert dockerfile.index("install -d -o 10001 -g 10001 /var/lib/driftline") < dockerfile.index(f"VOLUME {declared}")
