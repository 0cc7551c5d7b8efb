"""A serving process with tokens, its monitor, and models in a schema of their own; once for this folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import urllib3
from sklearn.ensemble import HistGradientBoostingClassifier
from sqlalchemy import Engine

from churn import migrate
from churn.columns import FEATURES
from driftline.artifacts.saving import save_trees
from driftline.engine.spec import ColumnSpec, ModelClock, Spec
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from driftline.store.versions import registry
from stack.servers import ports
from stack.services.table import service_named
from stack.testing.fixtures import DatabaseAddress
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.client.monitor_process import MonitorProcess
from tests.integration.monitoring.world import NOW, SPEC, reference
from tests.unit.docs.pages import ROOT

CARRIERS = ("AA", "DL", "UA")
NUMBERED = {name: number for number, name in enumerate(CARRIERS)}
START_SECONDS = 60.0


def flights_model(seed: int) -> tuple[HistGradientBoostingClassifier, pd.DataFrame]:
    """Return an estimator of the flights' features, the carrier as a number, and its rows."""
    frame = reference()
    rows = frame[["minutes", "distance", "carrier"]].assign(carrier=frame["carrier"].map(NUMBERED).astype(float))
    model = HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=8, random_state=seed)
    return model.fit(rows, np.roll(frame["label"], seed)), rows


def register_flights(engine: Engine, folder: Path, seed: int, name: str = "flights") -> HistGradientBoostingClassifier:
    """Register a version of a model of flights and return its estimator."""
    model, rows = flights_model(seed)
    address = str(folder / f"{name}-{seed}")
    save_trees(model, address, rows.head(200), categories={"carrier": CARRIERS})
    spec = SPEC.model_copy(update={"clock": ModelClock.WALL})
    candidate = registry.Candidate(name, spec, f"{seed:064}", reference(), address, {})
    registry.register(engine, candidate, open_store(folder / "objects"), datetime.now(UTC))
    return model


@dataclass
class ServingWorld:
    """The addresses, tokens and models of the tests."""

    engine: Engine
    folder: Path
    url: str
    predict_token: str
    read_token: str
    process: subprocess.Popen[bytes]

    def register_flights(self, seed: int) -> HistGradientBoostingClassifier:
        """Register a version of the model of flights and return its estimator."""
        return register_flights(self.engine, self.folder, seed)

    def register_churn(self) -> HistGradientBoostingClassifier:
        """Register a model with the features of the example and return its estimator."""
        draw = np.random.default_rng(3)
        frame = pd.DataFrame({name: draw.gamma(2.0, 10.0, 480) for name in FEATURES})
        label = (draw.random(480) < frame[FEATURES[0]] / 80).astype(int)
        model = HistGradientBoostingClassifier(max_iter=5).fit(frame, label)
        address = str(self.folder / "churn")
        save_trees(model, address, frame.head(50), threshold=0.3)
        scored = frame.assign(
            event_time=[NOW - timedelta(days=1 + n // 60) for n in range(480)],
            id=[f"r{n}" for n in range(480)],
            prediction=0,
            probability_1=model.predict_proba(frame)[:, 1],
            label=label,
        )
        columns = tuple(ColumnSpec(name=name) for name in FEATURES)
        candidate = registry.Candidate(
            "churn", Spec(columns=columns, clock=ModelClock.DATA), f"{0:064}", scored, address, {}
        )
        registry.register(self.engine, candidate, open_store(self.folder / "objects"), datetime.now(UTC))
        return model

    def token(self, *scopes: Scope) -> str:
        """Create a further token for the serving process."""
        name = "-".join(map(str, scopes))
        return tokens.create(self.folder / "tokens.json", name, frozenset(scopes), datetime.now(UTC))

    def call(self, method: str, path: str, *, token: str | None = None, **options: Any) -> tuple[int, Any]:
        """Send a request, by default with the token for predictions; return its status and JSON."""
        headers = {"Authorization": f"Bearer {token or self.predict_token}"}
        answer = urllib3.request(method, f"{self.url}{path}", headers=headers, retries=False, timeout=30, **options)
        return answer.status, answer.json()

    def predict(self, body: Any) -> tuple[int, Any]:
        """Send `POST /predict`."""
        return self.call("POST", "/predict", json=body)


@pytest.fixture(scope="package", name="world")
def _world(mariadb_session: TemporaryDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingWorld]:
    """A migrated schema without models, a monitor, and the serving process."""
    folder = tmp_path_factory.mktemp("serving")
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE serving_world")
        cursor.execute("CREATE DATABASE serving_world_truth")
    address = DatabaseAddress("127.0.0.1", mariadb_session.port, "root", mariadb_session.password, "serving_world")
    engine = make_engine(DatabaseSettings.model_validate(address.settings()))
    migrate.upgrade(engine)
    monitor = MonitorProcess(address, folder)
    monitor.start()
    token_file, port = folder / "tokens.json", ports.any_free()
    created = {
        scope: tokens.create(token_file, str(scope), frozenset({scope}), datetime.now(UTC))
        for scope in (Scope.PREDICT, Scope.READ)
    }
    settings = {
        "SERVING_PORT": str(port),
        "SERVING_MONITOR_URL": monitor.url,
        "SERVING_REFRESH_SECONDS": "0.2",
        "DRIFTLINE_TOKENS": str(token_file),
        "DRIFTLINE_RATE_LIMIT": "off",
        "DRIFTLINE_VAR": str(folder / "var"),
        **service_named("serving").variables,
    }
    with (folder / "serving.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving"],
            cwd=ROOT,
            env=os.environ | address.environment() | settings,
            stdout=log,
            stderr=log,
        )
    world = ServingWorld(
        engine, folder, f"http://127.0.0.1:{port}", created[Scope.PREDICT], created[Scope.READ], process
    )
    try:
        _await_answer(world.url)
        monitor.await_answer()
        yield world
    finally:
        process.kill()
        process.wait()
        monitor.close()
        engine.dispose()


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{url}/readyz", retries=False, timeout=5).status == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the serving process does not answer")
