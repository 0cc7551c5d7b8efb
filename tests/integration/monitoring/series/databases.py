"""Time series databases on free ports: VictoriaMetrics and InfluxDB 1, as Debian has them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from stack.servers import ports
from stack.setup.debian.time_series import PROGRAMS
from tests.integration.programs import running

Series = dict[tuple[str, ...], dict[datetime, float]]
"""By the values of the requested tags the values by time."""


@dataclass
class SeriesDatabase:
    """A running database: where it takes lines, and how a field is read back."""

    url: str
    read: Callable[[str, str, tuple[str, ...]], Series]


def program(name: str, *arguments: str) -> list[str]:
    """Return the command of a database."""
    return [str(PROGRAMS.program(name)), *arguments]


@contextmanager
def victoria_metrics(folder: Path, port: int | None = None) -> Iterator[SeriesDatabase]:
    """Start VictoriaMetrics on a folder; again on the same folder, it has what was written."""
    address = f"127.0.0.1:{port or ports.any_free()}"
    arguments = [
        f"-httpListenAddr={address}", f"-storageDataPath={folder / 'data'}", "-retentionPeriod=10y",
        "-search.latencyOffset=0s", "-memory.allowedBytes=64MB",
    ]  # fmt: skip

    def read(measurement: str, name: str, tags: tuple[str, ...]) -> Series:
        """Return the values of a field by tags and time, after all writes have reached the disk."""
        requests.get(f"http://{address}/internal/force_flush", timeout=10).raise_for_status()
        selector = {"match[]": f"{measurement}_{name}"}
        answer = requests.get(f"http://{address}/api/v1/export", params=selector, timeout=10)
        lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        return {
            tuple(line["metric"].get(tag, "") for tag in tags): {
                datetime.fromtimestamp(at / 1000, UTC): value
                for at, value in zip(line["timestamps"], line["values"], strict=True)
            }
            for line in lines
        }

    with running(program("victoria-metrics", *arguments), folder, "victoria-metrics", f"http://{address}/health"):
        yield SeriesDatabase(f"http://{address}/api/v2/write?org=site&bucket=driftline", read)


@contextmanager
def influxdb(folder: Path) -> Iterator[SeriesDatabase]:
    """Start InfluxDB 1 with an empty database."""
    address = f"127.0.0.1:{ports.any_free()}"
    (folder / "influxdb.conf").write_text(
        f'bind-address = "127.0.0.1:{ports.any_free()}"\nreporting-disabled = true\n'
        f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[monitor]\nstore-enabled = false\n[http]\nbind-address = "{address}"\n'
    )

    def query(statement: str) -> list[dict[str, Any]]:
        parameters = {"q": statement, "db": "driftline", "epoch": "s"}
        answer = requests.post(f"http://{address}/query", params=parameters, timeout=10).json()
        assert "error" not in answer["results"][0], answer
        series: list[dict[str, Any]] = answer["results"][0].get("series", [])
        return series

    def read(measurement: str, name: str, tags: tuple[str, ...]) -> Series:
        by_tags = ", ".join(tags)
        groups = query(f'SELECT "{name}" FROM "{measurement}" GROUP BY {by_tags}')  # noqa: S608  (names of the test)
        return {
            tuple(group["tags"][tag] for tag in tags): {
                datetime.fromtimestamp(at, UTC): value for at, value in group["values"]
            }
            for group in groups
        }

    with running(
        program("influxd", "-config", str(folder / "influxdb.conf")), folder, "influxd", f"http://{address}/ping"
    ):
        query("CREATE DATABASE driftline")
        yield SeriesDatabase(f"http://{address}/write?db=driftline", read)
