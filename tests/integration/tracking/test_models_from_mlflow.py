"""From a recorded training to a monitored model: MLflow's local store and `driftline models add --mlflow`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from typer.testing import CliRunner

from driftline.artifacts.loading import load_scorer
from driftline.artifacts.saving import save_trees
from driftline.cli import app
from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec
from driftline.errors import NotFound
from driftline.settings import DatabaseSettings, LocalSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.versions import registry
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.model_list import SpecRevision, VersionSummary
from driftline.store.versions.roles import Role
from driftline.tracking import model_uri
from driftline.tracking.aliases import follow
from driftline.tracking.mlflow_client import TrackingUnavailable, connect
from driftline.tracking.settings import TrackingSettings
from driftline.tracking.training_runs import RunLink, TrainingRun, record
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.world import NOW, SPEC, reference

if TYPE_CHECKING:
    from mlflow import MlflowClient

COLUMNS = (ColumnSpec(name="minutes"), ColumnSpec(name="carrier", kind=ColumnKind.CATEGORICAL))
CARRIERS = ("AA", "DL", "UA")
WORD = "of-the-server"


@pytest.fixture
def client(tmp_path: Path) -> "MlflowClient":
    return connect(TrackingSettings(), LocalSettings(var=tmp_path / "var"))


def trained(folder: Path) -> TrainingRun:
    """Train a small model, and return what a training would record."""
    frame = reference()
    numbers = {name: number for number, name in enumerate(CARRIERS)}
    rows = frame[["minutes", "carrier"]].assign(carrier=frame["carrier"].map(numbers).astype(float))
    model = HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(rows, frame["label"])
    save_trees(model, str(folder), rows.head(100), categories={"carrier": CARRIERS})
    plot = folder.parent / "plot.png"
    plot.write_bytes(b"\x89PNG")
    return TrainingRun(
        "flights", 3, "a" * 64, {"trees": 3}, {"reference.roc_auc": 0.75}, {"data.hash": "b"}, COLUMNS,
        ("probability_1",), folder, (plot,),
    )  # fmt: skip


def of_run(number: int, role: Role | None, link: RunLink) -> VersionSummary:
    """Return a monitored version whose training is recorded."""
    revision = SpecRevision(1, SPEC, NOW)
    layout = ModelLayout.canonical(SPEC)
    return VersionSummary(number, "ready", role, NOW, "", "", layout, {"mlflow": link.as_details()}, (revision,))


def version_of(client: "MlflowClient", alias: str) -> int:
    """Return the monitored version that an alias leads to."""
    return int(client.get_model_version_by_alias("flights", alias).tags["driftline.version"])


def test_a_recorded_model_is_registered_with_its_signature(
    client: "MlflowClient", mariadb: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path / "model")
    link = record(client, run)
    assert record(client, run) == link, "a training is recorded once"
    stored = client.get_run(link.run_id)
    assert stored.info.status == "FINISHED"
    assert (stored.data.params, stored.data.metrics) == ({"trees": "3"}, {"reference.roc_auc": 0.75})
    assert stored.data.tags["driftline.version"] == "3"
    assert [file.path for file in client.list_artifacts(link.run_id, "plots")] == ["plots/plot.png"]
    second = record(client, replace(run, training_hash="c" * 64, version=4))
    aliases = {"champion": 3, "challenger": 4}
    follow(client, [of_run(3, Role.CHAMPION, link), of_run(4, Role.CHALLENGER, second)], default_version=3)
    assert {alias: version_of(client, alias) for alias in aliases} == aliases
    follow(client, [of_run(3, None, link), of_run(4, Role.CHAMPION, second)], default_version=4)
    assert version_of(client, "champion") == 4

    for name, value in {**mariadb.environment(), "DRIFTLINE_VAR": str(tmp_path / "var")}.items():
        monkeypatch.setenv(name, value)
    engine = make_engine(DatabaseSettings())
    migrate.upgrade(engine)
    reference().to_csv(tmp_path / "reference.csv", index=False)
    command = [
        "models", "add", "late", str(tmp_path / "reference.csv"), "--timestamp", "event_time", "--label", "label",
        "--score", "probability_1", "--chunk", "1d", "--mlflow", "models:/flights@champion", "--yes",
    ]  # fmt: skip
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    version = registry.load(engine, "late")
    engine.dispose()
    assert {(column.name, column.kind) for column in version.spec.columns} == {(c.name, c.kind) for c in COLUMNS}
    assert version.details["mlflow"] == {**second.as_details()}
    assert client.get_model_version("flights", "2").tags["driftline.model"] == "late"
    row = {"minutes": 0.5, "carrier": "DL"}
    assert load_scorer(version.artifact_uri or "").score([row]) == load_scorer(str(tmp_path / "model")).score([row])
    described = json.loads((tmp_path / "model" / "model.json").read_text())
    assert described["features"] == ["minutes", "carrier"]
    with pytest.raises(NotFound, match="MLflow has no models:/flights@challenger"):
        model_uri.fetch(client, "models:/flights@challenger", tmp_path)


def test_a_server_that_is_away_is_reported_without_its_password(tmp_path: Path) -> None:
    address = TrackingSettings(tracking_uri=f"http://me:{WORD}@127.0.0.1:9")
    away = connect(address, LocalSettings(var=tmp_path))
    with pytest.raises(TrackingUnavailable, match="check MLFLOW_TRACKING_URI") as raised:
        model_uri.fetch(away, "models:/flights/1", tmp_path)
    assert WORD not in str(raised.value)
