"""The images of the Titanic example: it runs beside the containers of the services, and its Lambda function answers."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devtools.packaging.runc_container import RuncContainer
from driftline.artifacts.loading import load_scorer
from driftline.clock import utc_now
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from stack.containers import secrets as container_secrets
from stack.servers import ports
from tests.examples.lambda_runtime import lambda_runtime
from tests.examples.runs import PASSENGER, verdicts
from tests.images.conftest import ImageServers, running
from tests.integration.examples.test_compose import resolved

pytestmark = pytest.mark.timeout(2400)  # the first build of all images takes minutes
SCOPES = frozenset({Scope.READ, Scope.OPERATE, Scope.INGEST, Scope.PREDICT})
SECONDS = 60


@pytest.fixture(scope="module")
def token(world: ImageServers) -> str:
    """Create the token that the example's compose file asks for."""
    file = container_secrets.token_file(world.secrets)
    created = tokens.create(file, "titanic", SCOPES, utc_now())
    file.chmod(0o644)
    return created


@pytest.fixture(scope="module")
def output(world: ImageServers, token: str) -> str:
    """Run the example beside the monitor and the serving service, as its compose file does; return what it printed."""
    assert world.step("provision").returncode == 0
    monitor, serving = ports.any_free(), ports.any_free()
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in (("monitor", monitor), ("serving", serving))}
    authorized = {"DRIFTLINE_TOKEN": token}
    listener = {"SERVING_HOST": "127.0.0.1", "SERVING_PORT": str(serving), "SERVING_MONITOR_URL": addresses["monitor"]}
    with (
        running(world.contained("monitor", MONITOR_HOST="127.0.0.1", MONITOR_PORT=str(monitor)), monitor),
        running(world.contained("serving", **listener, **authorized), serving),
    ):
        servers = {f"EXAMPLES_{name.upper()}": address for name, address in addresses.items()}
        completed = replace(world, model=resolved("titanic")).contained("titanic", **servers, **authorized).run()
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed.stdout


def test_the_example_finds_the_emigrants_and_has_its_report(world: ImageServers, output: str) -> None:
    assert "18,000 predictions served" in output
    assert {"ok", "alert"} <= {*dict(verdicts(output, "2012")).values()}
    assert (world.volume / "examples" / "titanic" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_lambda_function_answers_as_the_model_does(world: ImageServers, output: str, tmp_path: Path) -> None:
    assert output
    artifact = world.volume / "examples" / "titanic" / "model"
    event: dict[str, Any] = {"version": "2.0", "body": json.dumps({"id": "lambda-1", "features": PASSENGER})}
    with lambda_runtime(event) as (address, responses, answered):
        function = RuncContainer(
            world.images["example-titanic-lambda"],
            tmp_path / "function",
            {"MODEL_ADDRESS": "/model", "AWS_LAMBDA_RUNTIME_API": address},
            {"/model": artifact},
        )
        process = subprocess.Popen(function.command(), stdin=subprocess.DEVNULL)
        try:
            assert answered.wait(SECONDS)
        finally:
            process.kill()
            process.wait()
    (response,) = responses
    assert response["statusCode"] == 200, response
    assert json.loads(response["body"])["score"] == pytest.approx(
        load_scorer(str(artifact)).score([PASSENGER])[0].score
    )
