"""The Dockerfile: linted, pinned, a stage for each image, and each image with its own service's libraries only."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from flaskapp.settings import SimulatorSettings
from monitoring.settings import MonitorSettings
from serving.settings import ServingSettings
from stack import paths
from stack.services.table import SERVICES
from tests.unit.docs.test_settings_table import in_code

IMAGES = {service.image.name: service for service in SERVICES}
DOCKERFILE = paths.ROOT / "deploy" / "Dockerfile"
FOREIGN = {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TZ", "HOME"} | {
    "MPLCONFIGDIR", "PYSPARK_PYTHON", "UV_CACHE_DIR", "UV_LINK_MODE", "UV_PYTHON_DOWNLOADS", "UV_COMPILE_BYTECODE",
}  # fmt: skip
"""Variables that others than Driftline read."""
PACKAGES = ("churn", "devtools", "eda", "flaskapp", "monitoring", "serving", "stack")
HEAVY = {
    "pyspark": {"jobs"},
    "matplotlib": {"eda", "monitor", "jobs"},
    "seaborn": {"eda"},
    "flask": {"simulator", "monitor", "serving"},
    "confluent-kafka": {"simulator", "monitor", "deploy", "jobs"},
    "kafka-python": {"simulator"},
    "apscheduler": {"monitor"},
    "nannyml": set(),
    "lightgbm": set(),
    "scikit-learn": {"jobs"},
    "treelite": {"jobs", "serving"},
    "mlflow-skinny": {"jobs"},
    "pytest": set(),
    "mypy": set(),
}
"""In which images alone a library may be."""


def stage(name: str) -> str:
    match = re.search(rf"^FROM \w+ AS {name}\n.*?(?=^FROM |\Z)", DOCKERFILE.read_text(), re.MULTILINE | re.DOTALL)
    assert match, name
    return match[0]


def last_stage() -> str:
    text = DOCKERFILE.read_text()
    return text[text.rindex("\nFROM ") :]


def pins(lock: Path) -> set[tuple[str, str]]:
    return {(name, version) for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE)}


def lock_of(image: str) -> Path:
    return paths.REQUIREMENTS / f"{image}.lock"


def test_it_is_the_only_one() -> None:
    assert [file.parent.name for file in paths.ROOT.glob("*/Dockerfile")] == ["deploy"]
    images = re.search(r"^IMAGES := (.*)$", (paths.ROOT / "Makefile").read_text(), re.MULTILINE)
    assert images
    assert {*images[1].split()} == {*IMAGES}


def test_hadolint_reports_nothing() -> None:
    command = (paths.VENV / "bin" / "hadolint", str(DOCKERFILE))
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout) == (0, "")


def test_the_base_is_pinned() -> None:
    bases = re.findall(r"^ARG BASE=(.*)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", bases[0])
    stages = {*re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)}
    sources = {*re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)}
    assert sources - stages == {"${BASE}", "${SERVICE}"}
    assert stages >= {*IMAGES}


def test_it_runs_as_a_numbered_user_and_has_a_title() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE.read_text(), re.MULTILINE) == ["10001:10001"]
    assert "\nUSER 10001:10001\n" in last_stage()
    assert 'org.opencontainers.image.title="driftline-${SERVICE}"' in last_stage()
    assert last_stage().startswith("\nFROM ${SERVICE}\n")


@pytest.mark.parametrize("image", IMAGES)
def test_each_image_has_one_health_check_and_a_description(image: str) -> None:
    assert len(re.findall(r"^HEALTHCHECK ", stage(image), re.MULTILINE)) == 1
    assert f'org.opencontainers.image.description="{IMAGES[image].description}"' in stage(image)


@pytest.mark.slow
@pytest.mark.parametrize("image", IMAGES)
def test_it_contains_the_code_that_it_imports(image: str) -> None:
    """An image contains every package of the checkout that its own code or the library imports."""
    imported = set[str]()
    for folder in ("src/driftline", *IMAGES[image].image.code):
        for file in (paths.ROOT / folder).rglob("*.py"):
            imported |= imported_packages(file)
    contained = {folder.rpartition("/")[2] for folder in IMAGES[image].image.code}
    assert imported & {*PACKAGES} <= contained
    assert IMAGES[image].folder in contained
    polled_by_spark = {"monitoring"} if image == "jobs" else set[str]()
    assert contained <= {IMAGES[image].folder, "churn"} | polled_by_spark


@cache
def imported_packages(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in plain | {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }}  # fmt: skip


def test_its_variables_are_settings() -> None:
    body = DOCKERFILE.read_text().replace("\\\n", " ")
    names = {name for line in re.findall(r"^ENV (.*)$", body, re.MULTILINE) for name in re.findall(r"(\w+)=", line)}
    assert names
    assert names - {*in_code()} <= FOREIGN


def test_the_ports_are_those_of_the_settings() -> None:
    for image, port in (
        ("simulator", SimulatorSettings.model_fields["port"].default),
        ("monitor", MonitorSettings.model_fields["port"].default),
        ("serving", ServingSettings.model_fields["port"].default),
    ):
        assert f"\nEXPOSE {port}\n" in stage(image)
        assert f'"driftline.http.health", "{port}"]' in stage(image)


@pytest.mark.parametrize("image", IMAGES)
def test_its_lock_is_between_the_core_lock_and_the_dev_lock(image: str) -> None:
    assert pins(paths.REQUIREMENTS / "core.lock") <= pins(lock_of(image)) <= pins(paths.REQUIREMENTS / "dev.lock")
    requirements = re.split(r"\n(?=\S)", lock_of(image).read_text().strip())
    assert [line for line in requirements if not line.startswith("#") and "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_where_it_is_used_and_nowhere_else(library: str) -> None:
    having = {image for image in IMAGES if library in {name for name, _ in pins(lock_of(image))}}
    assert having == HEAVY[library]


def test_nothing_goes_into_a_build_that_is_not_named() -> None:
    rules = [line for line in (paths.ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    included = {rule for rule in rules if rule.startswith("!")}
    code = {folder for service in SERVICES for folder in service.image.code}
    assert included == {"!requirements/*.lock", "!src/driftline", *(f"!{folder}" for folder in code)}
