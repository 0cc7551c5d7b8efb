"""The diagrams of the containers show what the compose files and the Dockerfile define."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.docs.drawings import drawn, text
from tests.unit.docs.pages import ROOT

Service = dict[str, Any]

SERVERS = {"mysql", "kafka"}
BOX = r'^ *(?:component|database|queue) "([^"\n]*)" as (\w+)'


class _Compose(yaml.SafeLoader):
    """Reads `!reset` of a compose file as an empty value, and `!override` as the list that it marks."""


def _marked(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[object]:
    return list(loader.construct_sequence(node))


_Compose.add_constructor("!reset", lambda _, __: None)
_Compose.add_constructor("!override", _marked)


@cache
def read(path: Path) -> dict[str, Any]:
    return dict(yaml.load(path.read_text(), Loader=_Compose))  # noqa: S506  # derived from SafeLoader


@cache
def services() -> dict[str, Service]:
    """Return the root's services, each merged with the service of the compose file that it extends."""
    return {name: _complete_service(ROOT / "compose.yaml", name) for name in read(ROOT / "compose.yaml")["services"]}


def _complete_service(file: Path, name: str) -> Service:
    service: Service = read(file)["services"][name]
    extended = service.get("extends")
    inherited = _complete_service((file.parent / extended["file"]).resolve(), extended["service"]) if extended else {}
    waits = {**inherited.get("depends_on", {}), **service.get("depends_on", {})}
    return {**inherited, **service, "depends_on": waits}


def boxes() -> dict[str, str]:
    """Return the label of each box of the diagram of all containers, by alias."""
    return {alias: label for label, alias in re.findall(BOX, text("containers-production"), re.MULTILINE)}


def names() -> dict[str, str]:
    """Return the service of each box, its bold word, by alias."""
    return {alias: re.findall(r"\*\*([\w-]+)\*\*", label)[0] for alias, label in boxes().items()}


def test_every_service_is_drawn_and_no_other() -> None:
    assert sorted(names().values()) == sorted(services())


def test_arrows_are_the_dependencies_of_services() -> None:
    arrows = re.findall(r"^(\w+) --> (\w+)$", text("containers-production"), re.MULTILINE)
    drawn_arrows = {(names()[before], names()[after]) for before, after in arrows}
    assert drawn_arrows == {(before, name) for name in services() for before in _directly_before(name)}


def _before(name: str) -> set[str]:
    """Return all services that must be ready before a service starts."""
    waits = {*services()[name]["depends_on"]}
    return waits.union(*(_before(name) for name in waits))


def _directly_before(name: str) -> set[str]:
    waits = {*services()[name]["depends_on"]}
    return waits - {early for later in waits for early in _before(later)}


def test_the_ports_drawn_are_those_published_on_loopback() -> None:
    ports = [(name, port) for name, service in services().items() for port in service.get("ports") or ()]
    published = {(name, port.rpartition(":")[0]) for name, port in ports}
    drawn_addresses = {
        (names()[alias], at) for alias, label in boxes().items() for at in re.findall(r"127[.\d]+:\d+", label)
    }
    assert drawn_addresses == published


def test_the_steps_of_the_demo_are_those_of_its_profile() -> None:
    inside = re.search(
        r'package "profile demo[^{]*\{\n(.*?)^ *\}', text("containers-production"), re.MULTILINE | re.DOTALL
    )
    assert inside
    steps = {names()[alias] for _, alias in re.findall(BOX, inside[1], re.MULTILINE)}
    assert steps == {name for name, service in services().items() if service.get("profiles") == ["demo"]}


def test_networks_volumes_and_versions_are_those_of_the_file() -> None:
    diagram = drawn("containers-production")
    shared = read(ROOT / "deploy" / "shared.yaml")
    compose = read(ROOT / "compose.yaml")
    named = [*compose["networks"], *(f"volume {name}" for name in (*compose["volumes"], *shared["volumes"]))]
    assert [name for name in named if name not in " ".join(diagram.split())] == []
    assert services()["mysql"]["image"].startswith("mysql:8.4@")
    assert services()["kafka"]["image"].startswith("apache/kafka:4.")
    assert "(MySQL 8.4)" in diagram
    assert "(Kafka 4)" in diagram


def images() -> dict[str, str]:
    """Return the text below the image's name in each box of the diagram of images, by image."""
    bodies = re.findall(r"^component \w+ <<\w+>> \[\n(.*?)^\]", text("docker-architecture"), re.MULTILINE | re.DOTALL)
    parts = (body.split("====\n") for body in bodies)
    return {name.strip().strip("*"): below for name, below in parts}


def services_by_image() -> dict[str, list[str]]:
    """Return the services that run each of our images."""
    services_of: dict[str, list[str]] = {}
    for name, service in services().items():
        if name not in SERVERS:
            services_of.setdefault(service["image"].partition(":")[0], []).append(name)
    return services_of


def test_every_image_is_drawn_with_the_services_that_run_it() -> None:
    runs = {image: re.findall(r"[a-z][a-z-]+", below.split("....\n")[1]) for image, below in images().items()}
    assert {image: sorted(names) for image, names in runs.items()} == {
        image: sorted(names) for image, names in services_by_image().items()
    }


DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


@pytest.mark.parametrize("image", sorted(images()))
def test_an_images_folder_and_lock_are_those_of_its_stage(image: str) -> None:
    name = image.removeprefix("driftline/")
    stage = re.search(rf"^FROM (\w+) AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert stage
    folders = {*re.findall(r"(\w+)/", images()[image].split("....\n")[0])} - {"deploy"}
    assert folders
    assert [folder for folder in folders if f"COPY {folder} " not in stage[2]] == []
    assert re.findall(r"[a-z]+[.]lock", images()[image])[0] == f"{name}.lock"
    assert (stage[1] == "spark") == ("Java 17" in images()[image])


def test_what_all_images_have_is_in_the_dockerfile() -> None:
    base = re.findall(r"\*\*(python:[\w.-]+)\*\*", text("docker-architecture"))
    assert re.findall(r"^ARG BASE=(\S+)@sha256:", DOCKERFILE, re.MULTILINE) == base
    assert "core.lock" in DOCKERFILE
    assert "USER 10001:10001" in DOCKERFILE
    assert "openjdk-17" in DOCKERFILE


def test_the_servers_addresses_are_those_of_the_containers() -> None:
    environment = read(ROOT / "deploy" / "hardened.yaml")["services"]["hardened"]["environment"]
    assert f"{environment['DB_HOST']}:{environment['DB_PORT']}" in drawn("docker-architecture")
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] in drawn("docker-architecture")
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] in drawn("containers-production")
