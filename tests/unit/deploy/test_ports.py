"""Files that are written by hand have the names and ports of the table of services."""

import re
from inspect import signature
from pathlib import Path

import pytest
import yaml

from driftline.report.command import report
from serving.settings import ServingSettings
from stack import paths
from stack.services.table import MONITOR, SERVICES

LISTENING = {service.name: service for service in SERVICES if service.port is not None}
ADDRESS = re.compile(rf"https?://({'|'.join(LISTENING)}):(\d+)")
COMPOSE = sorted(paths.ROOT.glob("examples/**/compose.yaml"))


def test_prometheus_scrapes_each_service_at_its_port() -> None:
    content = yaml.safe_load((paths.ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["static_configs"] for job in content["scrape_configs"]}
    assert jobs == {
        f"driftline-{name}": [{"targets": [f"127.0.0.1:{service.port}"]}] for name, service in LISTENING.items()
    }


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.parent.name)
def test_compose_files_of_examples_name_services_at_their_ports(file: Path) -> None:
    addresses = ADDRESS.findall(file.read_text())
    assert [port for _, port in addresses] == [str(LISTENING[name].port) for name, _ in addresses]


def test_programs_expect_the_monitor_at_its_port() -> None:
    assert ServingSettings.model_fields["monitor_port"].default == MONITOR.port
    assert signature(report).parameters["monitor"].default == f"http://127.0.0.1:{MONITOR.port}"
