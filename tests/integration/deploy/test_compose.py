"""The compose files, resolved by the specification's own loader, which holds them to its schema; and held to the code.

No engine runs them here; `images` beside this file builds and runs what they start.
"""

import importlib.util
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftline.clock import utc_now
from stack import paths
from stack.containers import steps as containers
from stack.containers.secrets import make, token_file
from stack.services.accounts import ACCOUNTS
from stack.services.site import DEFAULT_PORTS
from stack.services.table import SERVICES, with_port
from stack.setup import tools
from tests.unit.docs.test_settings_table import in_code

Model = dict[str, Any]

FOLDERS = {service.folder: {*service.compose.scripts} or {service.name} for service in SERVICES if service.compose}
WORKERS = {service.folder: {*service.compose.workers} for service in SERVICES if service.compose}
SERVERS = {"mysql", "kafka"}
LOOP = (
    "provision", "plan", "history", "days", "prepare", "train", "stream", "prepare-streamed", "predict", "findings",
)  # fmt: skip
FOREIGN = {"SPARK_LOCAL_DIRS"}
"""Variables that others than Driftline read."""


def resolved(folder: Path) -> Model:
    """Load a folder's compose file, with what it includes and extends."""
    reason = tools.reason_missing(tools.COMPOSE_SPEC)
    if reason:
        pytest.skip(reason)
    command = (str(tools.path(tools.COMPOSE_SPEC)), "-format", "json", "compose.yaml")
    completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    model: Model = json.loads(completed.stdout)
    return model


@pytest.fixture(scope="module")
def composed() -> Model:
    return resolved(paths.ROOT)


@pytest.fixture(scope="module", params=["", *FOLDERS])
def model(request: pytest.FixtureRequest) -> Model:
    """Each of the compose files in turn."""
    return resolved(paths.ROOT / request.param)


def built_services(model: Model) -> Iterator[tuple[str, Model]]:
    return ((name, service) for name, service in model["services"].items() if name not in SERVERS)


def environment(service: Model) -> dict[str, str]:
    """Read a service's variables, which the loader gives as a map or as a list."""
    values = service.get("environment", {})
    return dict(pair.split("=", 1) for pair in values) if isinstance(values, list) else values


def test_what_a_service_refers_to_is_there(model: Model) -> None:
    for name, service in model["services"].items():
        assert {*service.get("depends_on", {})} <= {*model["services"]}, name
        assert {secret["source"] for secret in service.get("secrets", [])} <= {*model["secrets"]}, name
        assert {*(service.get("networks") or {})} <= {*model["networks"]}, name
        named = {volume["source"] for volume in service.get("volumes", []) if volume["type"] == "volume"}
        assert named <= {*model["volumes"]}, name


def test_a_dependency_is_of_the_same_profile_or_of_none(composed: Model) -> None:
    for name, service in composed["services"].items():
        for dependency in service.get("depends_on", {}):
            assert {*composed["services"][dependency].get("profiles", [])} <= {*service.get("profiles", [])}, (
                name,
                dependency,
            )


def test_our_containers_can_do_nothing_but_their_work(model: Model) -> None:
    for name, service in built_services(model):
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        executable = ",exec" if service["image"].startswith("driftline/jobs") else ""
        assert service["tmpfs"] == [f"/tmp:mode=1777,size=256m{executable}"], name  # noqa: S108  # a container's own
        assert {*service["deploy"]["resources"]["limits"]} == {"cpus", "memory", "pids"}, name
        assert service.get("user", "") in ("", "1000:1000"), name


def test_the_servers_have_no_rights_either(composed: Model) -> None:
    for name in SERVERS:
        service = composed["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service["user"].startswith("0")
        assert "healthcheck" in service


def test_every_image_is_pinned(composed: Model) -> None:
    version = re.search(r'^version = "(.*)"$', (paths.ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    for name, service in composed["services"].items():
        pinned = r"\S+:\S+@sha256:[0-9a-f]{64}" if name in SERVERS else rf"driftline/\w+:{re.escape(version[1])}"
        assert re.fullmatch(pinned, service["image"]), name
    servers = {composed["services"][name]["image"].partition("@")[0] for name in SERVERS}
    pom = (paths.STACK / "setup" / "maven" / "kafka.xml").read_text()
    kafka = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*)<", pom)
    assert kafka
    assert servers == {"mysql:8.4", f"apache/kafka:{kafka[1]}"}


def test_every_image_has_its_dockerfile(model: Model) -> None:
    for name, service in built_services(model):
        assert Path(service["build"]["context"]) == paths.ROOT, name
        assert (paths.ROOT / service["build"]["dockerfile"]).is_file(), name
        assert service["image"].startswith(f"driftline/{service['build']['args']['SERVICE']}:"), name


def test_every_variable_is_a_setting(model: Model) -> None:
    settings = {*in_code()} | FOREIGN
    for name, service in built_services(model):
        assert {*environment(service)} <= settings, name


def test_the_servers_addresses_are_their_services(composed: Model) -> None:
    for name, service in built_services(composed):
        variables = environment(service)
        assert (variables["DB_HOST"], str(variables["DB_PORT"])) == ("mysql", "3306"), name
        assert variables["KAFKA_BOOTSTRAP_SERVERS"] == environment(composed["services"]["kafka"])[
            "KAFKA_ADVERTISED_LISTENERS"
        ].removeprefix("PLAINTEXT://")


def test_each_service_has_its_own_database_user(model: Model) -> None:
    for name, service in built_services(model):
        user = environment(service).get("DB_USER")
        assert user in (*ACCOUNTS, None) or (name, user) == ("provision", "root"), name
        passwords = [secret for secret in service.get("secrets", []) if secret["target"] == "db_password"]
        files = [Path(model["secrets"][secret["source"]]["file"]).name for secret in passwords]
        assert files == ([f"{user}.password"] if user else []), name


def test_secrets_are_files_that_settings_or_steps_read(model: Model) -> None:
    read = {"db_password", containers.TOKEN, *(f"{account}.password" for account in ACCOUNTS)}
    for name, service in built_services(model):
        assert {secret["target"] for secret in service.get("secrets", [])} <= read, name
        secrets = {key: value for key, value in environment(service).items() if re.search("PASSWORD|SECRET", key)}
        assert [key for key, value in secrets.items() if not value.startswith("/")] == [], f"{name}: no folder"


def test_the_files_of_secrets_are_those_that_one_command_makes(composed: Model, tmp_path: Path) -> None:
    make(tmp_path, utc_now())
    folder = paths.ROOT / "deploy" / "secrets"
    files = {Path(secret["file"]) for secret in composed["secrets"].values()}
    assert {file.relative_to(folder) for file in files} <= {file.relative_to(tmp_path) for file in tmp_path.iterdir()}
    mounted = composed["services"]["simulator"]["volumes"][0]
    assert Path(mounted["source"]) == token_file(folder).parent
    assert environment(composed["services"]["simulator"])["DRIFTLINE_TOKENS"] == f"{mounted['target']}/tokens.json"


def test_ports_are_the_usual_ones_on_loopback_only(composed: Model) -> None:
    bound = {
        (name, port["host_ip"], int(port["published"]))
        for name, service in composed["services"].items()
        for port in service.get("ports", [])
    }
    assert bound == {
        (service, "127.0.0.1", DEFAULT_PORTS[name])
        for service, name in (("mysql", "mariadb"), *((service.name, service.name) for service, _ in with_port()))
    }


def test_each_demo_step_waits_for_the_one_before(composed: Model) -> None:
    waits = {name: service.get("depends_on", {}) for name, service in composed["services"].items()}
    ended = "service_completed_successfully"
    awaited = {
        name: {dependency for dependency, how in of.items() if how["condition"] == ended} for name, of in waits.items()
    }
    for first, second in itertools.pairwise(LOOP[1:]):
        assert first in awaited[second], second
    assert awaited["history"] == {"provision", "plan"}
    assert awaited["eda"] == {"history"}
    assert waits["stream"]["simulator"]["condition"] == waits["findings"]["monitor"]["condition"] == "service_healthy"
    assert {how["condition"] for how in waits["provision"].values()} == {"service_healthy"}


def test_every_step_runs_what_is_there(composed: Model) -> None:
    for name, service in built_services(composed):
        words = " ".join([*(service.get("entrypoint") or ()), *(service.get("command") or ())])
        for script in re.findall(r"/app/(\S+\.py)", words):
            assert (paths.ROOT / script).is_file(), name
        for module in re.findall(r"-m (\S+)", words):
            assert importlib.util.find_spec(module), name
        if service["image"].startswith("driftline/deploy") and not service.get("entrypoint"):
            assert service["command"][0] in containers.STEPS, name


def test_up_runs_the_loop(composed: Model) -> None:
    assert "COMPOSE_PROFILES=demo\n" in (paths.ROOT / ".env").read_text()
    demo = {name for name, service in composed["services"].items() if service.get("profiles") == ["demo"]}
    assert demo == {*LOOP, "eda"} - {"provision"}
    assert {name for name, service in composed["services"].items() if not service.get("profiles")} == {
        *SERVERS, "provision", *(service.name for service, _ in with_port()),
    }  # fmt: skip


def test_each_folders_file_runs_alone_in_the_shared_network(composed: Model) -> None:
    assert composed["networks"]["shared-network"] == {"name": "shared-network"}
    for folder, services in FOLDERS.items():
        model = resolved(paths.ROOT / folder)
        assert {*model["services"]} == services | WORKERS[folder]
        assert {name for name, service in model["services"].items() if service.get("profiles")} == WORKERS[folder]
        assert model["networks"]["shared-network"].get("external") is True
        for name in services:
            same = ("image", "build", "secrets", "tmpfs")
            assert [model["services"][name][key] for key in same] == [composed["services"][name][key] for key in same]
