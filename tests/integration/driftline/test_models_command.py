"""The commands `driftline models` against a real database: shown and asked for before anything is stored."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from driftline.cli import app
from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.engine.comparison.promotion import Decision
from driftline.settings import DatabaseSettings
from driftline.store.versions import registry, retrainings
from driftline.store.versions.retrainings import RetrainingState

OPTIONS = ("--timestamp", "at", "--label", "y", "--score", "s", "--id", "key")


@pytest.fixture
def run(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> "CommandRunner":
    del engine  # has made the tables
    return CommandRunner(database_settings, tmp_path)


class CommandRunner:
    """Runs commands with the settings of the test's database."""

    def __init__(self, database: DatabaseSettings, folder: Path) -> None:
        """Write a file of scored rows, and the environment of the command."""
        self.environment = {
            "DB_HOST": database.host,
            "DB_PORT": str(database.port),
            "DB_USER": database.user,
            "DB_PASSWORD": database.password.get_secret_value(),
            "DB_NAME": database.name,
            "DRIFTLINE_OBJECTS": str(folder / "objects"),
        }
        rng = np.random.default_rng(1)
        score = rng.uniform(size=2_400)
        self.file = folder / "scored.csv"
        pd.DataFrame(
            {
                "at": pd.date_range("2026-03-01", periods=2_400, freq="720s"),
                "key": range(2_400),
                "y": (rng.uniform(size=2_400) < score).astype(int),
                "s": score,
                "a, b": rng.normal(size=2_400),
            }
        ).to_csv(self.file, index=False)

    def __call__(self, *arguments: str, answer: str | None = None, group: str = "models") -> Result:
        return CliRunner().invoke(app, [group, *arguments], input=answer, env=self.environment)


def test_a_model_is_shown_registered_listed_revised_and_removed(run: CommandRunner, tmp_path: Path) -> None:
    declined = run("add", "any", str(run.file), *OPTIONS, answer="n\n")
    assert declined.exit_code == 1
    assert "'a, b' (continuous)" in declined.stderr
    assert "chunk: 1d" in declined.stderr
    assert "ROC AUC" in declined.stderr
    assert json.loads(run("list", "--json").stdout) == []

    added = run("add", "any", str(run.file), *OPTIONS, "--yes", "--json", "--owner", "fraud team")
    assert (added.exit_code, json.loads(added.stdout)["version"]) == (0, 1), added.stderr
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["name"], listed["problem"], listed["period"], listed["state"]) == ("any", "binary", "1d", None)
    assert listed["owner"] == "fraud team"
    assert "fraud team" in run("list").stdout
    assert run("revise", "any", "--owner", "").stdout == "any has no owner.\n"

    spec = tmp_path / "spec.yaml"
    spec.write_text("minimum_rows: 60\n")
    revised = run("revise", "any", "--label-delay", "P3D", "--spec", str(spec))
    assert "spec revision 2; 0 chunks wait" in revised.stdout, revised.stderr
    model = json.loads(run("show", "any", "--json").stdout)
    assert [version["spec"]["label_delay"] for version in model["versions"][0]["specs"]] == ["PT0S", "P3D"]
    assert model["versions"][0]["columns"]["scores"] == {"probability_1": "s"}
    assert [change["chunks"] for change in model["visible"]["changes"]] == [1, 7, 30]
    assert "minimum_rows: 60" in run("show", "any").stdout

    kept = run("retention", "any", "--archive-after", "90", "--remove-after", "700")
    assert kept.stdout == "any: rows are archived after 90 days\nany: rows are removed after 700 days\n", kept.stderr
    assert run("archive", "--dry-run", group="db").stdout == "Nothing is due.\n"
    archived = run("archive", "--model", "any", group="db")
    assert archived.stdout == "0 objects were written, 0 blobs deleted from MySQL, 0 objects removed.\n"
    assert run("archive", "--list", group="db").stdout == ""
    assert run("retention", "any", "--keep").stdout.count("never") == 2

    assert run("schedule", "any").stdout == "any is polled with all other models.\n"
    assert run("schedule", "any", "--every", "PT1H").stdout == "any is polled every 1:00:00.\n"
    weekdays = run("schedule", "any", "--cron", "0 6 * * mon-fri", "--time-zone", "Europe/Berlin")
    assert weekdays.stdout == "any is polled by the cron expression '0 6 * * mon-fri' in Europe/Berlin.\n"
    assert "'never' is not an interval; write PT1H" in str(run("schedule", "any", "--every", "never").exception)
    assert "pass one of --every and --cron" in str(run("schedule", "any", "--every", "P1D", "--cron", "x").exception)
    assert run("schedule", "any").stdout == weekdays.stdout
    assert run("schedule", "any", "--with-others").stdout == "any is polled with all other models.\n"

    assert run("retire", "any", "--version", "1", "--yes").exit_code == 0
    assert "no ready version" in run("list").stdout
    assert run("remove", "any", answer="n\n").exit_code == 1
    assert "is removed" in run("remove", "any", answer="y\n").stdout
    assert "No model is registered" in run("list").stdout


def test_a_version_is_promoted_and_rolled_back(run: CommandRunner) -> None:
    for delay in ("P1D", "P2D"):
        assert run("add", "any", str(run.file), *OPTIONS, "--label-delay", delay, "--yes").exit_code == 0
    assert "used: version 2, the newest" in run("roles", "any").stdout
    promoted = run("promote", "any", "1", "--reason", "better in April", "--by", "anna")
    assert promoted.stdout == "any: version 1 is the champion.\n", promoted.stderr
    assert "nothing changed" in run("promote", "any", "1", "--reason", "better in April").stdout
    output = run("roles", "any").stdout
    assert "champion: version 1" in output
    assert "promote version 1 (before: 2), by anna: better in April" in output
    assert "any version 1 (ready, champion)" in run("show", "any").stdout
    assert "promote another one first" in str(run("retire", "any", "--version", "1", "--yes").exception)
    assert run("rollback", "any").stdout == "any: version 2 is the champion again.\n"
    changes = json.loads(run("roles", "any", "--json").stdout)["changes"]
    assert [change["action"] for change in changes] == ["promote", "rollback"]
    assert "no earlier champion" in str(run("rollback", "any").exception)


def test_retrainings_are_shown_with_their_reasons(run: CommandRunner, engine: Engine) -> None:
    assert run("add", "any", str(run.file), *OPTIONS, "--yes").exit_code == 0
    assert run("retrainings", "any").stdout == "any was not trained again.\n"
    with engine.connect() as connection:
        key = registry.version_key(connection, "any")
        assert retrainings.read_verdicts(connection, key) == retrainings.VerdictNews((), None)
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    assert retrainings.begin(engine, key, "a new tariff", None, now) == 1
    assert "not decided yet" in run("retrainings", "any").stdout
    position = retrainings.begin(engine, key, "a new tariff", 7, now)
    compared = PairedRocAuc(0.6, 0.7, 0.01, 0.01, 0.008, 900, 100, 90)
    decision = Decision(True, "0.700 after 0.600, beyond the noise", 14, compared)
    retrainings.finish(engine, key, position, RetrainingState.PROMOTED, decision, 2, now)
    first, second = json.loads(run("retrainings", "any", "--json").stdout)
    assert (first["state"], first["reason"]) == ("failed", "the run ended before it had decided")
    assert (second["state"], second["challenger"], second["comparison"]["difference_error"]) == ("promoted", 2, 0.008)
    output = run("retrainings", "any").stdout
    assert "2026-05-20 12:00 version 1 challenged by version 2: promoted\n  because a new tariff\n  0.700" in output


def test_the_option_label_delay_overrides_the_spec_file(run: CommandRunner, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("label_delay: P1D\nminimum_rows: 60\n")
    added = run("add", "any", str(run.file), *OPTIONS, "--label-delay", "P3D", "--spec", str(spec), "--yes", "--json")
    assert added.exit_code == 0, added.stderr
    registered = json.loads(added.stdout)["spec"]
    assert (registered["label_delay"], registered["minimum_rows"]) == ("P3D", 60)


def test_faults_are_named_as_flags(run: CommandRunner) -> None:
    delay = run("add", "any", str(run.file), *OPTIONS, "--label-delay", "soon", "--yes")
    assert "label_delay" in str(delay.exception)
    refused = run("add", "any", str(run.file), *OPTIONS, "--chunk", "rows:50", "--yes")
    assert "pass --chunk 1d" in str(refused.exception)
    assert run("revise", "any").exit_code == 2
