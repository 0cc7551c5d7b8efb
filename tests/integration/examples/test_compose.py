"""The compose files of the examples, resolved by the specification's own loader."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from examples.lakehouse.capture import connect
from stack import paths
from stack.setup import tools

EXAMPLES = paths.ROOT / "examples"


def resolved(example: str, *options: str) -> Any:
    """Return the compose file of an example as the loader understands it."""
    if reason := tools.reason_missing(tools.COMPOSE_SPEC):
        pytest.skip(reason)
    command = (str(tools.path(tools.COMPOSE_SPEC)), "-format", "json", *options, "compose.yaml")
    completed = subprocess.run(command, cwd=EXAMPLES / example, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.parametrize("example", ["dse", "titanic"])
def test_the_example_joins_the_services_with_least_rights(example: str) -> None:
    model = resolved(example)
    (service,) = model["services"].values()
    assert service["profiles"] == [example]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert (paths.ROOT / service["build"]["dockerfile"]).is_file()
    assert Path(service["build"]["context"]) == paths.ROOT
    assert [Path(model["secrets"][secret["source"]]["file"]).name for secret in service["secrets"]] == [
        "driftline_owner.password"
    ]
    assert {*service["networks"]} == {"shared-network"} <= {*model["networks"]}


@pytest.mark.parametrize("example", ["ecg", "lakehouse"])
def test_minio_is_pinned_on_loopback_and_without_a_secret_of_its_own(example: str) -> None:
    service = resolved(example, "-no-interpolation")["services"]["minio"]
    assert service["profiles"] == [example]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert re.fullmatch(r"\S+:RELEASE\.\S+@sha256:[0-9a-f]{64}", service["image"])
    assert [port["host_ip"] for port in service["ports"]] == ["127.0.0.1"]
    assert all(re.fullmatch(r"\$\{AWS_\w+:\?[^}]+\}", value) for value in service["environment"].values())


def test_connect_listens_on_loopback_and_has_the_plugins_versions() -> None:
    service = resolved("lakehouse", "-no-interpolation")["services"]["connect"]
    assert service["profiles"] == ["lakehouse"]
    assert service["cap_drop"] == ["ALL"]
    for plugin in ("debezium-mariadb", "debezium-jdbc"):
        pom = (EXAMPLES / "lakehouse" / "maven" / f"{plugin}.xml").read_text()
        assert f"<version>{service['image'].rpartition(':')[2]}</version>" in pom
    assert service["environment"]["CONNECT_LISTENERS"] == "http://127.0.0.1:8083"


def test_connect_has_the_settings_of_the_examples_process() -> None:
    environment = resolved("lakehouse", "-no-interpolation")["services"]["connect"]["environment"]
    properties = dict(line.split("=", 1) for line in connect.WORKER.splitlines())
    variables = {
        "OFFSET_FLUSH_INTERVAL_MS": "offset.flush.interval.ms",
        "KEY_CONVERTER": "key.converter",
        "VALUE_CONVERTER": "value.converter",
    }
    assert {name: environment[name] for name in variables} == {
        name: properties[setting] for name, setting in variables.items()
    }
    assert environment["HEAP_OPTS"].split() == [option for option in connect.JVM if option.startswith("-Xm")]
