"""The workflows have least rights, pinned actions and time limits, and each step is one command."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import paths
from stack.services.table import SERVICES

GITHUB = paths.ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").rglob("action.yml"))
USES = re.compile(r"^\s*(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
JOBS_WITH_MORE_RIGHTS = {
    ("fetch-data", "fetch"): {"contents": "read", "id-token": "write"},
    ("images", "push"): {"packages": "write"},
    ("release", "publish"): {"contents": "write"},
    ("security", "codeql"): {"contents": "read", "security-events": "write"},
}

Yaml = dict[Any, Any]


def loaded(file: Path) -> Yaml:
    content: Yaml = yaml.safe_load(file.read_text())
    return content


def jobs() -> Iterator[tuple[str, str, Yaml]]:
    for file in WORKFLOWS:
        for name, job in loaded(file)["jobs"].items():
            yield file.stem, name, job


def steps() -> Iterator[Yaml]:
    for _, _, job in jobs():
        yield from job["steps"]
    for file in ACTIONS:
        yield from loaded(file)["runs"]["steps"]


def test_the_expected_workflows_exist() -> None:
    assert [file.stem for file in WORKFLOWS] == ["ci", "fetch-data", "images", "release", "security"]


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_action_is_pinned_by_its_commit_and_says_its_version(file: Path) -> None:
    for action, comment in USES.findall(file.read_text()):
        if action.startswith("./"):
            assert (paths.ROOT / action / "action.yml").exists()
        else:
            assert PINNED.fullmatch(action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), (action, comment)


def test_an_action_has_one_version() -> None:
    versions = defaultdict(set)
    for file in (*WORKFLOWS, *ACTIONS):
        for reference, comment in USES.findall(file.read_text()):
            action = "/".join(reference.partition("@")[0].split("/")[:2])
            versions[action].add((reference.partition("@")[2], comment))
    assert {action for action, pins in versions.items() if len(pins) > 1} == set()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_has_no_default_rights_and_runs_alone(file: Path) -> None:
    workflow = loaded(file)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]


def test_a_job_has_the_rights_it_needs_and_a_time_limit() -> None:
    for workflow, name, job in jobs():
        rights = JOBS_WITH_MORE_RIGHTS.get((workflow, name), {"contents": "read"})
        assert job["permissions"] in (rights, {}), (workflow, name)
        assert 5 <= job["timeout-minutes"] <= 60, (workflow, name)
        assert re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"]), (workflow, name)


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_workflow_uses_a_stored_secret() -> None:
    for file in (*WORKFLOWS, *ACTIONS):
        assert "secrets." not in file.read_text(), file


def test_a_step_is_one_command_and_its_make_target_exists() -> None:
    makefile = (paths.ROOT / "Makefile").read_text()
    commands = [step["run"] for step in steps() if "run" in step]
    assert not [command for command in commands if "\n" in command.strip() or "&&" in command or ";" in command]
    targets = [command.split()[1] for command in commands if command.startswith("make ")]
    assert {"setup", "check", "test-unit", "test-integration", "test-mysql", "test-e2e", "audit"} <= {*targets}
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_event_values_reach_a_shell_only_by_its_environment() -> None:
    foreign = re.compile(r"\$\{\{(?!\s*matrix\.)")
    assert [step["run"] for step in steps() if foreign.search(step.get("run", ""))] == []


def test_each_job_uses_the_python_that_it_sets_up() -> None:
    for workflow, name, job in jobs():
        for step in job["steps"]:
            if step.get("uses") == "./.github/actions/setup":
                assert job["env"]["PYTHON"] == f"python{step.get('with', {}).get('python', '3.11')}", (workflow, name)


def test_a_job_passes_its_servers_by_the_names_of_the_tests() -> None:
    expected = set(re.findall(r"TEST_[A-Z_]+", (paths.STACK / "testing" / "external_servers.py").read_text()))
    passed = {name for _, _, job in jobs() for name in job.get("env", {}) if name.startswith("TEST_")}
    assert passed == expected


def test_the_servers_of_a_job_are_those_of_the_compose_file() -> None:
    text = (GITHUB / "workflows" / "ci.yml").read_text()
    composed = (paths.ROOT / "compose.yaml").read_text()
    images = set(re.findall(r"image: ((?:mysql|apache/kafka):\S+)", text))
    assert len(images) == 2
    assert [image for image in images if f"image: {image}" not in composed] == []


def test_every_image_is_built() -> None:
    build = loaded(GITHUB / "workflows" / "images.yml")["jobs"]["build"]
    images = build["strategy"]["matrix"]["image"]
    assert {*images} == {service.image.name for service in SERVICES}
    assert all((paths.REQUIREMENTS / f"{image}.lock").exists() for image in images)
    (step,) = (step for step in build["steps"] if "build-args" in step.get("with", {}))
    assert (paths.ROOT / step["with"]["file"]).is_file()
    assert "SERVICE=${{ matrix.image }}" in step["with"]["build-args"].split("\n")


def test_the_page_names_the_variables_of_fetch_data() -> None:
    text = (GITHUB / "workflows" / "fetch-data.yml").read_text()
    page = (paths.ROOT / "docs" / "how-to" / "cloud-data.md").read_text()
    variables = set(re.findall(r"vars\.(\w+)", text))
    assert len(variables) == 4
    assert {name for name in variables if name not in page} == set()
