"""Checks of rules, scrape configurations and dashboards on a real Prometheus, for services and examples."""

import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from devtools.generators.grafana import Dashboard
from stack.servers.ports import any_free
from stack.setup.debian import prometheus
from tests.integration.programs import running

SECONDS = 60.0


def skip_without_programs() -> None:
    """Skip the test where Prometheus cannot be had."""
    if reason := prometheus.reason_missing():
        pytest.skip(reason)


def promtool(*arguments: str | Path, folder: Path) -> str:
    """Run promtool in a folder, where it must find no fault, and return what it prints."""
    command = [*prometheus.command("promtool"), *map(str, arguments)]
    completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def check_rules(rules: Path, rule_tests: Path) -> None:
    """Run the tests of rules, which must name every alert."""
    promtool("check", "rules", rules.name, folder=rules.parent)
    promtool("test", "rules", rule_tests.name, folder=rule_tests.parent)
    groups = yaml.safe_load(rules.read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {name for name in alerts if name not in rule_tests.read_text()} == set()


def write_config(
    source: Path, folder: Path, jobs: Mapping[str, list[str]], alertmanager: str = "", seconds: int = 1
) -> None:
    """Write a scrape configuration with other targets of its jobs, and an interval of some seconds; check it."""
    config = yaml.safe_load(source.read_text())
    config["global"] = {"scrape_interval": f"{seconds}s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager] if alertmanager else []
    assert {job["job_name"] for job in config["scrape_configs"]} == {*jobs}
    for job in config["scrape_configs"]:
        job.pop("file_sd_configs", None)
        job["static_configs"] = [{"targets": jobs[job["job_name"]]}]
    (folder / source.name).write_text(yaml.safe_dump(config))
    promtool("check", "config", source.name, folder=folder)


def write_rules(source: Path, folder: Path) -> None:
    """Write rules whose minutes are seconds, so that a test need not wait for them."""
    (folder / source.name).write_text(re.sub(r"\b(\d+)m\b", r"\1s", source.read_text()))


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs at an address."""

    address: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression now."""
        answer = requests.get(f"http://{self.address}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def firing(self) -> set[tuple[str, str]]:
        """Return the alerts that fire, each with its sink if it is about one."""
        alerts = (series["metric"] for series in self.query('ALERTS{alertstate="firing"}'))
        return {(labels["alertname"], labels.get("sink", "")) for labels in alerts}

    def wait_for_panels(self, boards: Iterable[Dashboard]) -> None:
        """Wait until the queries of all panels return something; fail with those that do not."""
        queries = [query for board in boards for query in board.queries]
        deadline = time.monotonic() + SECONDS
        while (empty := self._empty(queries)) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert empty == []

    def _empty(self, queries: Iterable[str]) -> list[str]:
        return [query for query in queries if not self.query(re.sub(r'"\$\w+"', '".*"', query))]


@contextmanager
def running_prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus with the `prometheus.yml` of a folder until the context ends."""
    address = f"127.0.0.1:{any_free()}"
    command = (
        *prometheus.command("prometheus"), "--config.file=prometheus.yml", f"--web.listen-address={address}",
        "--storage.tsdb.path=data",
    )  # fmt: skip
    with running(command, folder, "prometheus", f"http://{address}/-/ready"):
        yield Prometheus(address)
