"""The Dockerfiles: linted, pinned, alike where they should be, and each with its own service's libraries only."""

import re
import subprocess
from pathlib import Path

import pytest

from flaskapp.settings import SimulatorSettings
from monitoring.settings import MonitorSettings
from stack import paths
from tests.unit.docs.test_settings_table import in_code

FOLDERS = {"simulator": "flaskapp", "monitor": "monitoring", "eda": "eda", "jobs": "pyspark", "deploy": "deploy"}
FOREIGN = {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TZ", "HOME"} | {
    "MPLCONFIGDIR", "PYSPARK_PYTHON", "UV_CACHE_DIR", "UV_LINK_MODE", "UV_PYTHON_DOWNLOADS", "UV_COMPILE_BYTECODE",
}  # fmt: skip
"""Variables that others than Driftline read."""
HEAVY = {
    "pyspark": {"jobs"},
    "matplotlib": {"eda", "monitor"},
    "seaborn": {"eda"},
    "flask": {"simulator", "monitor"},
    "confluent-kafka": {"simulator", "deploy"},
    "kafka-python": {"simulator"},
    "apscheduler": {"monitor"},
    "nannyml": set(),
    "lightgbm": set(),
    "scikit-learn": set(),
    "pytest": set(),
    "mypy": set(),
}
"""In which images alone a library may be."""


def dockerfile(image: str) -> str:
    return (paths.ROOT / FOLDERS[image] / "Dockerfile").read_text()


def pins(lock: Path) -> set[tuple[str, str]]:
    return {(name, version) for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE)}


def lock_of(image: str) -> Path:
    return paths.REQUIREMENTS / f"{image}.lock"


def test_these_are_all_there_are() -> None:
    found = {file.parent.name for file in paths.ROOT.glob("*/Dockerfile")}
    assert found == {*FOLDERS.values()}
    images = re.search(r"^IMAGES := (.*)$", (paths.ROOT / "Makefile").read_text(), re.MULTILINE)
    assert images
    assert {*images[1].split()} == {*FOLDERS}


def test_hadolint_has_nothing_to_say() -> None:
    files = [str(paths.ROOT / folder / "Dockerfile") for folder in FOLDERS.values()]
    done = subprocess.run((paths.VENV / "bin" / "hadolint", *files), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_and_the_layer_of_libraries_are_the_same_everywhere() -> None:
    beginnings = {dockerfile(image).split("ARG BASE=")[1].partition("\n\n")[0] for image in FOLDERS}
    assert len(beginnings) == 1
    assert re.match(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}\n", beginnings.pop())


@pytest.mark.parametrize("image", FOLDERS)
def test_it_runs_as_a_numbered_user_and_says_how_it_is(image: str) -> None:
    text = dockerfile(image)
    final = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["10001:10001"]
    assert len(re.findall(r"^HEALTHCHECK ", final, re.MULTILINE)) == 1
    assert "org.opencontainers.image.title" in final
    assert f"-f {FOLDERS[image]}/Dockerfile" in text


@pytest.mark.parametrize("image", FOLDERS)
def test_its_variables_are_settings(image: str) -> None:
    body = dockerfile(image).replace("\\\n", " ")
    names = {name for line in re.findall(r"^ENV (.*)$", body, re.MULTILINE) for name in re.findall(r"(\w+)=", line)}
    assert names - {*in_code()} <= FOREIGN


def test_the_ports_are_those_of_the_settings() -> None:
    for image, port in (
        ("simulator", SimulatorSettings.model_fields["port"].default),
        ("monitor", MonitorSettings.model_fields["port"].default),
    ):
        assert f"\nEXPOSE {port}\n" in dockerfile(image)
        assert f'"driftline.http.health", "{port}"]' in dockerfile(image)


@pytest.mark.parametrize("image", FOLDERS)
def test_its_lock_is_part_of_the_whole_and_holds_the_librarys_own(image: str) -> None:
    assert pins(paths.REQUIREMENTS / "core.lock") <= pins(lock_of(image)) <= pins(paths.REQUIREMENTS / "dev.lock")
    requirements = re.split(r"\n(?=\S)", lock_of(image).read_text().strip())
    assert [one for one in requirements if not one.startswith("#") and "--hash=sha256:" not in one] == []


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_where_it_is_used_and_nowhere_else(library: str) -> None:
    having = {image for image in FOLDERS if library in {name for name, _ in pins(lock_of(image))}}
    assert having == HEAVY[library]


def test_nothing_goes_into_a_build_that_is_not_named() -> None:
    rules = [line for line in (paths.ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    allowed = {rule for rule in rules if rule.startswith("!")}
    assert allowed == {
        "!requirements/*.lock",
        "!src/driftline",
        "!stack",
        "!flaskapp",
        "!eda",
        "!pyspark",
        "!monitoring",
    }
