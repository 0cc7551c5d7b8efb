"""`driftline lineage atlas` exports what a database has, with the senders of its batches."""

import json
from pathlib import Path

from sqlalchemy import Engine
from typer.testing import CliRunner

from driftline.cli import app
from driftline.ingest.ingestion import Ingestion
from driftline.settings import DatabaseSettings
from monitoring.poll.poller import poll_once
from tests.integration.driftline.ingest.senders import rows, sent
from tests.integration.monitoring.world import NAME, NOW, make_world


def test_a_database_is_exported(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(1)
    world.predict(2)
    world.label(1)
    Ingestion(engine, lambda: NOW).predictions(NAME, sent(rows(80)))
    poll_once(engine, NOW, scheduled=False)
    environment = {
        "DB_HOST": database_settings.host,
        "DB_PORT": str(database_settings.port),
        "DB_USER": database_settings.user,
        "DB_PASSWORD": database_settings.password.get_secret_value(),
        "DB_NAME": database_settings.name,
    }
    runner = CliRunner()
    exports = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        result = runner.invoke(app, ["lineage", "atlas", str(folder), "--model", NAME], env=environment)
        assert result.exit_code == 0, result.output
        exports.append((folder / "entities.json").read_text())
        assert json.loads((folder / "types.json").read_text())["entityDefs"]
    assert exports[0] == exports[1]
    entities = json.loads(exports[0])["entities"]
    sources = [entity["attributes"] for entity in entities if entity["typeName"] == "driftline_source"]
    assert [(row["kind"], row["batches"], row["rows"]) for row in sources] == [
        ("labels", 1, 300), ("predictions", 2, 600), ("predictions", 1, 80)
    ]  # fmt: skip
    (results,) = (entity["attributes"] for entity in entities if entity["typeName"] == "driftline_results")
    assert results["chunks"] >= 2
