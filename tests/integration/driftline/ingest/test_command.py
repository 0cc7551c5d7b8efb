"""`driftline ingest` stores files of every kind; the same file again changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import labels_of, make_ingestion, nested, rows
from tests.integration.monitoring.world import NAME


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def run(database: DatabaseAddress, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from driftline.cli import main; main()", "ingest", NAME, *map(str, arguments)]
    environment = os.environ | database.environment() | {"PYTHONPATH": "src"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_files_are_stored_once(engine: Engine, database: DatabaseAddress, tmp_path: Path) -> None:
    make_ingestion(engine, tmp_path)
    table, lines, labels = tmp_path / "rows.csv", tmp_path / "rows.jsonl", tmp_path / "labels.csv"
    rows().to_csv(table, index=False)
    lines.write_text("\n".join(map(json.dumps, nested(rows(30)))))
    labels_of(rows()).to_csv(labels, index=False)
    stored = run(database, table, lines)
    assert stored.returncode == 0, stored.stderr
    assert stored.stdout.splitlines() == [
        f"{table}: 20 rows, 20 new, 0 same, 0 changed",
        f"{lines}: 30 rows, 10 new, 20 same, 0 changed",
    ]
    assert "20 new" in run(database, labels, "--labels").stdout
    assert "20 rows, 0 new, 20 same" in run(database, table).stdout
    changed = tmp_path / "changed.csv"
    rows(2).assign(distance=-1.0).to_csv(changed, index=False)
    refused = run(database, changed)
    assert refused.returncode == 2
    assert "0 rows before them are stored" in refused.stderr
    assert "2 changed" in run(database, changed, "--corrections").stdout
    faulty = tmp_path / "faulty.csv"
    rows(30, first=40).astype({"distance": object}).assign(distance="unknown").to_csv(faulty, index=False)
    assert "--na-values unknown" in run(database, faulty).stderr
    assert "30 new" in run(database, faulty, "--na-values", "unknown").stdout
